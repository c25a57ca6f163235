//! The camera: answers control requests and fills the transfers of its stream.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use crate::descriptors::{self, Identity, Mode, PAYLOAD_HEADER, PROBE, PROCESSING_UNIT};
use crate::pattern;
use crate::usbip::{Cable, Request, STALL, Submit};

/// The bits of a control request that say its type, and the type of a device class (USB 2.0, table 9-2).
const TYPE: u8 = 0x60;
const CLASS: u8 = 0x20;

/// What is wrong with the next frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The next frame ends in its middle.
    Torn,
    /// The next frame has the right length, its lower half is of the frame before.
    Mixed,
    /// The next frame's bytes are noise.
    Garbage,
}

/// Where frames come from.
#[derive(Debug)]
pub enum Source {
    /// Numbered pictures.
    Numbered,
    /// Always the picture of this number.
    Still(u16),
    /// Raw frames of a file, again from its start at its end.
    File(Vec<u8>),
}

/// How a Lepton on PureThermal sends: with telemetry below the picture, each frame more than once.
#[derive(Debug, Clone, Copy)]
pub struct Lepton {
    /// Rows of telemetry; a part of the mode's height.
    pub rows: usize,
    /// How often each frame is sent.
    pub repeats: u32,
}

/// See the module.
pub struct Camera {
    identity: Identity,
    mode: Mode,
    source: Source,
    /// Telemetry, where it has any.
    pub lepton: Option<Lepton>,
    /// The shutter is closed (flat field correction).
    pub shutter: bool,
    committed: [u8; PROBE],
    /// Brightness and contrast.
    controls: [i16; 2],
    waiting: VecDeque<(u32, usize)>,
    payload: Vec<u8>,
    sent: usize,
    luma: Vec<u8>,
    packed: Vec<u8>,
    before: Vec<u8>,
    streaming: bool,
    next: Instant,
    /// Frames made so far.
    pub frames: u32,
    /// No frames while this is set.
    pub frozen: bool,
    /// Requests of the video class get no answer while this is set: the kernel waits five seconds for each.
    pub wedged: bool,
    /// Requests that got none.
    unanswered: Vec<u32>,
    /// For the next frame.
    pub fault: Option<Fault>,
}

impl Camera {
    /// A camera that is not plugged in yet.
    pub fn new(identity: Identity, mode: Mode, source: Source) -> Self {
        Self {
            committed: mode.probe(),
            identity,
            mode,
            source,
            lepton: None,
            shutter: false,
            controls: [128, 128],
            waiting: VecDeque::new(),
            payload: Vec::new(),
            sent: 0,
            luma: vec![0; mode.width * mode.height],
            packed: Vec::new(),
            before: Vec::new(),
            streaming: false,
            next: Instant::now(),
            frames: 0,
            frozen: false,
            wedged: false,
            unanswered: Vec::new(),
            fault: None,
        }
    }

    /// How long nothing has to be done unless the host asks; `None`: for ever.
    pub fn idle(&self) -> Option<Duration> {
        if self.waiting.is_empty() || !self.streaming || self.frozen {
            return None;
        }
        let unfinished = self.sent < self.payload.len();
        Some(if unfinished {
            Duration::ZERO
        } else {
            self.next.saturating_duration_since(Instant::now())
        })
    }

    /// Answers one request of the host.
    ///
    /// # Errors
    /// Where the host let go of the cable.
    pub fn serve(&mut self, cable: &mut Cable) -> io::Result<()> {
        match cable.receive()? {
            Request::Unlink { sequence, of } => {
                let before = self.waiting.len() + self.unanswered.len();
                self.waiting.retain(|(waiting, _)| *waiting != of);
                self.unanswered.retain(|waiting| *waiting != of);
                let after = self.waiting.len() + self.unanswered.len();
                cable.unlinked(sequence, after != before)
            }
            Request::Submit(submit) if self.wedged && submit.setup[0] & TYPE == CLASS => {
                self.unanswered.push(submit.sequence);
                Ok(())
            }
            Request::Submit(submit) if submit.endpoint == 1 && submit.to_host => {
                if !self.streaming {
                    self.streaming = true;
                    self.next = Instant::now();
                    self.forget_frame();
                }
                self.waiting.push_back((submit.sequence, submit.length));
                Ok(())
            }
            Request::Submit(submit) => self.control(&submit, cable),
        }
    }

    fn forget_frame(&mut self) {
        self.payload.clear();
        self.sent = 0;
    }

    fn control(&mut self, submit: &Submit, cable: &mut Cable) -> io::Result<()> {
        let [kind, request, _, value, interface, entity, low, high] = submit.setup;
        let wanted = usize::from(u16::from_le_bytes([low, high]));
        let reply: Result<Vec<u8>, i32> = match (kind & TYPE, request) {
            (0, 6) => self.descriptor(value, submit.setup[2]),
            (0, 0) => Ok(vec![0, 0]),
            (0, 8) => Ok(vec![1]),
            // CLEAR_FEATURE of the endpoint's halt: this is how uvcvideo ends a bulk stream.
            (0, 1) => {
                self.streaming = false;
                self.forget_frame();
                for (sequence, _) in std::mem::take(&mut self.waiting) {
                    cable.complete(sequence, Ok(&[]), 0)?;
                }
                Ok(Vec::new())
            }
            (0, 3 | 5 | 9 | 11) => Ok(Vec::new()),
            (0x20, _) if interface == 1 => self.stream_control(request, &submit.data),
            (0x20, _) if entity == PROCESSING_UNIT => {
                self.unit_control(request, value, &submit.data)
            }
            _ => Err(STALL),
        };
        let reply = reply.map(|mut bytes| {
            bytes.truncate(wanted);
            bytes
        });
        let taken = if submit.to_host { 0 } else { submit.length };
        cable.complete(submit.sequence, reply.as_deref().map_err(|e| *e), taken)
    }

    fn descriptor(&self, kind: u8, index: u8) -> Result<Vec<u8>, i32> {
        match kind {
            1 => Ok(descriptors::device(&self.identity)),
            2 => Ok(descriptors::configuration(&self.mode)),
            3 => descriptors::string(&self.identity, index).ok_or(STALL),
            _ => Err(STALL),
        }
    }

    /// Probe and commit: whatever is asked for, there is one mode.
    fn stream_control(&mut self, request: u8, data: &[u8]) -> Result<Vec<u8>, i32> {
        match request {
            0x01 => {
                let fixed = self.mode.probe();
                let length = data.len().min(PROBE);
                self.committed[..length].copy_from_slice(&data[..length]);
                self.committed[2..8].copy_from_slice(&fixed[2..8]);
                self.committed[18..].copy_from_slice(&fixed[18..]);
                Ok(Vec::new())
            }
            0x81 => Ok(self.committed.to_vec()),
            0x82 | 0x83 | 0x87 => Ok(self.mode.probe().to_vec()),
            0x85 => Ok(vec![PROBE as u8, 0]),
            0x86 => Ok(vec![3]),
            _ => Err(STALL),
        }
    }

    /// Brightness and contrast, 0 to 255.
    fn unit_control(&mut self, request: u8, selector: u8, data: &[u8]) -> Result<Vec<u8>, i32> {
        let name = match selector {
            2 => "brightness",
            3 => "contrast",
            _ => return Err(STALL),
        };
        let control = &mut self.controls[usize::from(selector) - 2];
        let value: i16 = match (request, data) {
            (0x01, [low, high, ..]) => {
                *control = i16::from_le_bytes([*low, *high]);
                eprintln!("uvc-tool: {name} = {control}");
                return Ok(Vec::new());
            }
            (0x81, _) => *control,
            (0x82, _) => 0,
            (0x83, _) => 255,
            (0x84, _) => 1,
            (0x85, _) => 2,
            (0x86, _) => return Ok(vec![3]),
            (0x87, _) => 128,
            _ => return Err(STALL),
        };
        Ok(value.to_le_bytes().to_vec())
    }

    /// Gives the host as much of the stream as is due.
    ///
    /// # Errors
    /// Where the host let go of the cable.
    pub fn stream(&mut self, cable: &mut Cable) -> io::Result<()> {
        if self.idle() != Some(Duration::ZERO) {
            return Ok(());
        }
        if self.sent >= self.payload.len() {
            let period = Duration::from_secs_f64(1.0 / self.mode.fps);
            // A host that was slow does not get the frames that it missed.
            self.next = (self.next + period).max(Instant::now());
            self.make_frame();
        }
        if let Some((sequence, room)) = self.waiting.pop_front() {
            let end = (self.sent + room).min(self.payload.len());
            cable.complete(sequence, Ok(&self.payload[self.sent..end]), 0)?;
            self.sent = end;
        }
        Ok(())
    }

    fn make_frame(&mut self) {
        let Mode { width, height, .. } = self.mode;
        let made = self.frames / self.lepton.map_or(1, |lepton| lepton.repeats.max(1));
        let number = match &self.source {
            Source::Still(number) => *number,
            _ => made as u16,
        };
        let rows = height - self.lepton.map_or(0, |lepton| lepton.rows.min(height));
        if let Source::File(bytes) = &self.source {
            let length = self.mode.frame_bytes().min(bytes.len()).max(1);
            let at = self.frames as usize % (bytes.len() / length).max(1) * length;
            self.packed.clear();
            self.packed.extend_from_slice(&bytes[at..at + length]);
        } else {
            let luma = &mut self.luma[..width * rows];
            pattern::draw(number, width, rows, luma);
            if self.shutter {
                luma.fill(128);
            }
            self.mode.format.pack(luma, width, rows, &mut self.packed);
            self.add_telemetry(made);
        }
        let whole = self.packed.len();
        match self.fault.take() {
            Some(Fault::Torn) => self.packed.truncate(whole / 2),
            Some(Fault::Mixed) if self.before.len() == whole => {
                self.packed[whole / 2..].copy_from_slice(&self.before[whole / 2..]);
            }
            Some(Fault::Garbage) => noise(&mut self.packed, self.frames),
            _ => {}
        }
        self.before.clone_from(&self.packed);
        self.frames += 1;
        let parity = (self.frames & 1) as u8;
        self.forget_frame();
        self.payload.resize(PAYLOAD_HEADER, 0);
        // Header length; end of header, end of frame, and the bit that differs between frames.
        self.payload[0] = PAYLOAD_HEADER as u8;
        self.payload[1] = 0x80 | 0x02 | parity;
        self.payload.extend_from_slice(&self.packed);
    }
}

impl Camera {
    /// The words of the data sheet that filmd reads: status, frame counter, TLinear.
    fn add_telemetry(&mut self, made: u32) {
        let Some(lepton) = self.lepton else {
            return;
        };
        let mut words = vec![0u16; lepton.rows * self.mode.width];
        let state = if self.shutter { 2 } else { 3 };
        let told = [
            (4, state << 4),
            (20, (made >> 16) as u16),
            (21, made as u16),
            (208, 1),
            (209, 1),
        ];
        for (index, word) in told {
            if let Some(place) = words.get_mut(index) {
                *place = word;
            }
        }
        self.packed
            .extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }
}

fn noise(bytes: &mut [u8], seed: u32) {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    for byte in bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = (state >> 24) as u8;
    }
}
