//! Mapped buffers of one plane each.

use std::io;
use std::sync::Arc;

use v4l::Device;
use v4l::buffer::Metadata;
use v4l::device::Handle;
use v4l::v4l_sys as raw;
use v4l::v4l2::vidioc;

use super::{CAPTURE, Plain, call};

const MMAP: u32 = raw::v4l2_memory_V4L2_MEMORY_MMAP;
/// PROT_READ and MAP_SHARED of mmap(2).
const READ: i32 = 1;
const SHARED: i32 = 1;

/// A mapped buffer.
struct Buffer {
    start: *const u8,
    length: usize,
}

/// A multi-planar device that streams: all buffers but the one in hand are the driver's.
pub struct Planes {
    handle: Arc<Handle>,
    buffers: Vec<Buffer>,
    /// The buffer that was lent last and is not yet the driver's again.
    held: Option<u32>,
}

#[expect(unsafe_code, reason = "a pointer alone says nothing of threads")]
// SAFETY: the mappings belong to this value and are of a device, which any thread may read.
unsafe impl Send for Planes {}

impl Planes {
    /// Maps `count` buffers, or as many as the driver gives, and starts.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn start(device: &Device, count: u32) -> io::Result<Self> {
        let mut stream = Self {
            handle: device.handle(),
            buffers: Vec::new(),
            held: None,
        };
        for index in 0..stream.request(count)? {
            let buffer = stream.map(index)?;
            stream.buffers.push(buffer);
            stream.queue(index)?;
        }
        stream.switch(vidioc::VIDIOC_STREAMON)?;
        Ok(stream)
    }

    /// The next buffer's bytes, lent until the next call; `WouldBlock` where there is none yet.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn wait(&mut self) -> io::Result<(&[u8], Metadata)> {
        if let Some(index) = self.held.take() {
            self.queue(index)?;
        }
        let (buffer, plane) = self.exchange(vidioc::VIDIOC_DQBUF, 0)?;
        let Some(mapped) = self.buffers.get(buffer.index as usize) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        self.held = Some(buffer.index);
        let end = (plane.bytesused as usize).min(mapped.length);
        let begin = (plane.data_offset as usize).min(end);
        #[expect(unsafe_code, reason = "the kernel's buffers are mapped memory")]
        // SAFETY: `start` is a mapping of `length` bytes that lives as long as `self`; the driver
        // writes there only while the buffer is queued, which needs `self` mutably.
        let bytes = unsafe { std::slice::from_raw_parts(mapped.start, mapped.length) };
        let meta = Metadata {
            bytesused: plane.bytesused,
            flags: buffer.flags.into(),
            field: buffer.field,
            timestamp: buffer.timestamp.into(),
            sequence: buffer.sequence,
        };
        Ok((&bytes[begin..end], meta))
    }

    /// Asks for `count` buffers; how many there are now.
    fn request(&self, count: u32) -> io::Result<u32> {
        let mut request = raw::v4l2_requestbuffers {
            count,
            type_: CAPTURE,
            memory: MMAP,
            ..Plain::zero()
        };
        #[expect(unsafe_code, reason = "see `call`")]
        // SAFETY: REQBUFS takes a v4l2_requestbuffers, which has no pointers.
        unsafe {
            call(self.handle.fd(), vidioc::VIDIOC_REQBUFS, &mut request)?;
        }
        Ok(request.count)
    }

    /// QUERYBUF, QBUF or DQBUF: what they say of a buffer and of its one plane.
    fn exchange(
        &self,
        request: vidioc::_IOC_TYPE,
        index: u32,
    ) -> io::Result<(raw::v4l2_buffer, raw::v4l2_plane)> {
        let mut plane = raw::v4l2_plane::zero();
        let mut buffer = raw::v4l2_buffer {
            index,
            type_: CAPTURE,
            memory: MMAP,
            length: 1,
            ..Plain::zero()
        };
        buffer.m.planes = &raw mut plane;
        #[expect(unsafe_code, reason = "see `call`")]
        // SAFETY: all three take a v4l2_buffer whose `planes` leads to `length` elements, and write
        // no more of them; the kernel keeps no pointer after the call.
        unsafe {
            call(self.handle.fd(), request, &mut buffer)?;
        }
        Ok((buffer, plane))
    }

    fn queue(&self, index: u32) -> io::Result<()> {
        self.exchange(vidioc::VIDIOC_QBUF, index).map(|_| ())
    }

    fn map(&self, index: u32) -> io::Result<Buffer> {
        let (_, plane) = self.exchange(vidioc::VIDIOC_QUERYBUF, index)?;
        let length = plane.length as usize;
        #[expect(
            unsafe_code,
            reason = "buffers are mapped; a union of the kernel is read"
        )]
        // SAFETY: a new mapping at a place that the kernel chooses, of the length it names; for
        // mapped buffers the union holds the offset.
        let start = unsafe {
            let offset = i64::from(plane.m.mem_offset);
            let (anywhere, fd) = (std::ptr::null_mut(), self.handle.fd());
            v4l::v4l2::mmap(anywhere, length, READ, SHARED, fd, offset)?
        };
        Ok(Buffer {
            start: start.cast_const().cast::<u8>(),
            length,
        })
    }

    /// STREAMON or STREAMOFF.
    fn switch(&self, request: vidioc::_IOC_TYPE) -> io::Result<()> {
        let mut kind = CAPTURE.cast_signed();
        let kind = (&raw mut kind).cast::<std::ffi::c_void>();
        #[expect(unsafe_code, reason = "see `call`")]
        // SAFETY: both take a pointer to an int, which this is.
        unsafe {
            v4l::v4l2::ioctl(self.handle.fd(), request, kind)
        }
    }
}

impl Drop for Planes {
    fn drop(&mut self) {
        // Best effort: the device may be gone, and closing it frees the rest.
        let _ = self.switch(vidioc::VIDIOC_STREAMOFF);
        for buffer in self.buffers.drain(..) {
            #[expect(unsafe_code, reason = "what was mapped is unmapped")]
            // SAFETY: a mapping made by `map`, of which no slice is left: those borrow `self`.
            let _ = unsafe { v4l::v4l2::munmap(buffer.start.cast_mut().cast(), buffer.length) };
        }
        let _ = self.request(0);
    }
}
