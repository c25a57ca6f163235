//! The wire protocol of usbip (Linux Documentation/usb/usbip_protocol.rst) over a socket pair whose
//! other end the kernel's virtual host controller holds. No network is involved.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;
/// A header is as long whatever it carries.
const HEADER: usize = 48;
/// -ECONNRESET: a transfer that was taken back before it was done.
const TAKEN_BACK: i32 = -104;
/// -EPIPE: a request that the device does not know.
pub const STALL: i32 = -32;
/// usb_device_speed's USB_SPEED_HIGH.
const HIGH_SPEED: u32 = 3;

/// What the host asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A transfer.
    Submit(Submit),
    /// To take a transfer back.
    Unlink {
        /// Of this request.
        sequence: u32,
        /// The transfer's number.
        of: u32,
    },
}

/// A transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// Its number.
    pub sequence: u32,
    /// Towards the host.
    pub to_host: bool,
    /// Endpoint.
    pub endpoint: u32,
    /// Bytes that the host has room for, or sends.
    pub length: usize,
    /// The setup packet of a control transfer.
    pub setup: [u8; 8],
    /// What the host sent.
    pub data: Vec<u8>,
}

/// One end of the cable.
#[derive(Debug)]
pub struct Cable(std::fs::File);

impl AsFd for Cable {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Cable {
    /// Plugs a high-speed device into `port` of the first virtual host controller.
    ///
    /// # Errors
    /// Where there is no such controller (module vhci_hcd) or the port is taken.
    pub fn plug_in(port: u32) -> io::Result<Self> {
        let pair = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::empty(),
            None,
        )?;
        let (ours, theirs): (OwnedFd, OwnedFd) = pair;
        rustix::net::sockopt::set_socket_send_buffer_size(&ours, 4 << 20)?;
        let attach = Path::new("/sys/devices/platform/vhci_hcd.0/attach");
        let device = 0x1_0001 + port;
        let line = format!("{port} {} {device} {HIGH_SPEED}", theirs.as_raw_fd());
        std::fs::write(attach, line)?;
        Ok(Self(ours.into()))
    }

    /// The next request; waits for it.
    ///
    /// # Errors
    /// Where the host let go of the cable, or sent what is no request.
    pub fn receive(&mut self) -> io::Result<Request> {
        let mut header = [0; HEADER];
        self.0.read_exact(&mut header)?;
        let word = |i: usize| {
            let bytes = &header[i * 4..i * 4 + 4];
            u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        let sequence = word(1);
        match word(0) {
            CMD_UNLINK => Ok(Request::Unlink {
                sequence,
                of: word(5),
            }),
            CMD_SUBMIT => {
                let (to_host, length) = (word(3) == 1, word(6) as usize);
                let mut setup = [0; 8];
                setup.copy_from_slice(&header[40..]);
                let mut data = vec![0; if to_host { 0 } else { length }];
                self.0.read_exact(&mut data)?;
                Ok(Request::Submit(Submit {
                    sequence,
                    to_host,
                    endpoint: word(4),
                    length,
                    setup,
                    data,
                }))
            }
            other => Err(io::Error::other(format!("usbip command {other}"))),
        }
    }

    /// Ends a transfer: `data` for the host, or `taken` bytes from it.
    ///
    /// # Errors
    /// Where the host let go of the cable.
    pub fn complete(
        &mut self,
        sequence: u32,
        result: Result<&[u8], i32>,
        taken: usize,
    ) -> io::Result<()> {
        let (status, data) = match result {
            Ok(data) => (0, data),
            Err(status) => (status, &[][..]),
        };
        let length = u32::try_from(data.len().max(taken)).unwrap_or(u32::MAX);
        self.reply(RET_SUBMIT, sequence, status, length)?;
        self.0.write_all(data)
    }

    /// Answers [`Request::Unlink`].
    ///
    /// # Errors
    /// Where the host let go of the cable.
    pub fn unlinked(&mut self, sequence: u32, was_pending: bool) -> io::Result<()> {
        let status = if was_pending { TAKEN_BACK } else { 0 };
        self.reply(RET_UNLINK, sequence, status, 0)
    }

    fn reply(&mut self, kind: u32, sequence: u32, status: i32, length: u32) -> io::Result<()> {
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&kind.to_be_bytes());
        header[4..8].copy_from_slice(&sequence.to_be_bytes());
        header[20..24].copy_from_slice(&status.to_be_bytes());
        header[24..28].copy_from_slice(&length.to_be_bytes());
        self.0.write_all(&header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Cable, std::fs::File) {
        let (a, b) = socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::empty(),
            None,
        )
        .expect("a socket pair");
        (Cable(a.into()), b.into())
    }

    #[test]
    fn a_transfer_is_read_with_its_data() {
        let (mut cable, mut host) = pair();
        let mut bytes = [0; HEADER];
        for (i, word) in [1u32, 7, 0, 0, 0, 0, 3].iter().enumerate() {
            bytes[i * 4..i * 4 + 4].copy_from_slice(&word.to_be_bytes());
        }
        bytes[40] = 0x21;
        host.write_all(&bytes).expect("sent");
        host.write_all(b"abc").expect("sent");
        let Ok(Request::Submit(submit)) = cable.receive() else {
            panic!("no transfer");
        };
        assert_eq!((submit.sequence, submit.length), (7, 3));
        assert!(!submit.to_host && submit.setup[0] == 0x21 && submit.data == b"abc");
    }

    #[test]
    fn an_answer_carries_status_and_length() {
        let (mut cable, mut host) = pair();
        cable.complete(9, Ok(b"xy"), 0).expect("sent");
        cable.complete(10, Err(STALL), 0).expect("sent");
        let mut bytes = [0; HEADER + 2 + HEADER];
        host.read_exact(&mut bytes).expect("received");
        assert_eq!((bytes[3], bytes[7], bytes[27]), (3, 9, 2));
        assert_eq!(&bytes[HEADER..HEADER + 2], b"xy");
        assert_eq!(bytes[HEADER + 2 + 20..][..4], (-32i32).to_be_bytes());
    }

    #[test]
    fn a_cable_that_is_let_go_is_an_error() {
        let (mut cable, host) = pair();
        drop(host);
        assert!(cable.receive().is_err());
    }
}
