//! One camera of a pair: its link, its frames, its faults, and opening it again.
//!
//! Input: buffers. Output: frames. Thread: acquire. Blocks: never. Allocates: when made and reopened. Fails when: never once made; faults
//! are counted. Not its job: pairing.

use std::time::Duration;

use super::{Agreed, BufferInfo, CameraLink};
use crate::acquire::intake::Intake;
use crate::acquire::pairing::Timed;
use crate::acquire::stream_clock::{ClockReading, StreamClock};
use crate::acquire::telemetry::{self, Shutter};
use crate::acquire::unpack::planar::planar_to_rgb;
use crate::acquire::unpack::{
    Content, MjpgDecoder, PixelFormat, UnpackError, counts, grey, packed_to_rgb, rgb,
};
use crate::acquire::{AcquireError, Role};
use crate::clean::Condition;
use crate::clock::Timestamp;
use crate::config::{CameraConfig, CleanConfig, TelemetryKind};
use crate::frame::{Frame, Pool, Shared};
use crate::range::RangeConfig;

/// Frames of a side: one that is filled, two in the pairer, a pair each in the mailbox and in fuse, one to spare.
const POOL: usize = 6;
/// Waiting times before a lost camera is looked for again. One that is not there costs a look into
/// a folder, so it is looked for at the first pace; one that is there and refuses, ever more slowly.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(8);
/// A camera that streams and brings nothing for so long is opened anew.
const HUNG: Duration = Duration::from_secs(6);
/// A shutter that is closed for longer is stuck: 0.9 s is nominal, users see up to 3 s.
const LONGEST_FFC: Duration = Duration::from_secs(10);
/// Sequence numbers that jump further than this were set anew.
const LARGEST_GAP: u32 = 1_000;

impl Timed for Shared<Frame> {
    fn timestamp(&self) -> Timestamp {
        self.timestamp
    }
}

/// One camera and all that belongs to it.
pub struct CameraChannel {
    /// Which one.
    pub role: Role,
    /// Its configuration.
    pub config: CameraConfig,
    /// What the driver agreed to.
    pub agreed: Agreed,
    /// Buffers received, whole or not.
    pub received: u64,
    /// Frames lost by the driver, or for want of room.
    pub dropped: u64,
    /// Frames that could not be unpacked.
    pub damaged: u64,
    link: Option<Box<dyn CameraLink>>,
    pool: Pool<Frame>,
    intake: Intake,
    jpeg: MjpgDecoder,
    clock: StreamClock,
    expected: Option<u32>,
    sequence: u64,
    /// When the last frame came that was of use, or that telemetry explained.
    last_seen: Timestamp,
    /// Since when it is being opened.
    opening: Option<Timestamp>,
    retry_at: Timestamp,
    retry: Duration,
    /// Running number of the last frame, by its telemetry.
    last_frame_number: Option<u32>,
    /// Since when frames are of the closed shutter.
    closed_at: Option<Timestamp>,
    /// Kelvins a count, by telemetry where it is read, else by the configuration.
    kelvin: Option<f32>,
    /// Why it could not be opened last time, so that the same reason is said once.
    complaint: String,
    /// When it was tried and opened again, until it has brought a frame.
    back: Option<(Timestamp, Timestamp)>,
}

impl CameraChannel {
    /// A side whose camera is open, or is still to come where `link` is `None`; `expected` is what
    /// it will be then.
    pub fn new(
        role: Role,
        config: CameraConfig,
        link: Option<Box<dyn CameraLink>>,
        expected: Agreed,
        clean: &CleanConfig,
        now: Timestamp,
    ) -> Self {
        let agreed = link.as_ref().map_or(expected, |link| link.agreed().clone());
        let (size, format, fps) = (agreed.layout.size, agreed.format, agreed.fps);
        let raw = format.content() == Content::Counts;
        let range = range(&config, format);
        Self {
            role,
            config,
            agreed,
            received: 0,
            dropped: 0,
            damaged: 0,
            link,
            pool: Pool::new(POOL, || Frame::new(size, format.channels(), raw)),
            intake: Intake::new(role, clean, size, range),
            jpeg: MjpgDecoder::default(),
            clock: StreamClock::new(fps),
            expected: None,
            sequence: 0,
            last_seen: now,
            opening: None,
            retry_at: now.plus(FIRST_RETRY),
            retry: FIRST_RETRY,
            last_frame_number: None,
            closed_at: None,
            kelvin: None,
            complaint: String::new(),
            back: None,
        }
    }

    /// The descriptor to poll; `None` while the camera is lost.
    pub fn fd(&self) -> Option<std::os::fd::RawFd> {
        self.link.as_ref().map(|link| link.fd())
    }

    /// See [`crate::acquire::PairSource::set_denoise`].
    pub fn set_denoise(&mut self, denoise: f32) {
        self.intake.set_denoise(denoise);
    }

    /// What its last frame was measured to suffer from.
    pub fn condition(&self) -> Condition {
        self.intake.condition()
    }

    /// Time spent on cleaning its frames.
    pub fn cleaning(&self) -> Duration {
        self.intake.took()
    }

    /// How its clock runs against the board's; `None` while the camera is lost.
    pub fn clock(&self) -> Option<ClockReading> {
        self.link.as_ref().map(|_| self.clock.reading())
    }

    /// When it is to be opened again; `None` while it is there or being opened.
    pub fn retry_at(&self) -> Option<Timestamp> {
        let is_lost = self.link.is_none() && self.opening.is_none();
        is_lost.then_some(self.retry_at)
    }

    /// It is being opened from `now` on.
    pub fn opens(&mut self, now: Timestamp) {
        self.opening = Some(now);
    }

    /// It is being opened.
    pub fn is_opening(&self) -> bool {
        self.opening.is_some()
    }

    /// Frames are asked for from now on: only from here on can it hang.
    pub fn begin(&mut self, now: Timestamp) {
        self.last_seen = now;
    }

    /// Why it is not there, as far as that is known.
    pub fn complaint(&self) -> Option<&str> {
        let is_lost = self.link.is_none() && !self.complaint.is_empty();
        is_lost.then_some(self.complaint.as_str())
    }

    /// Whether its last picture is to be held because the shutter is closed, and not for too long.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.closed_at.is_some_and(|at| now.since(at) < LONGEST_FFC)
    }

    /// Takes the buffer that poll announced; `None`: it was damaged, or the camera is gone.
    pub fn take(&mut self, now: Timestamp) -> Option<Shared<Frame>> {
        let mut link = self.link.take()?;
        let mut frame = None;
        let result = link.take(&mut |bytes, info| frame = self.accept(bytes, info, now));
        match result {
            Ok(()) => self.link = Some(link),
            Err(error) => self.lost(&error.to_string(), now),
        }
        frame
    }

    /// Whether the camera streams but has brought nothing for too long; it is given up then.
    pub fn give_up_if_hung(&mut self, now: Timestamp) -> bool {
        let hung = self.link.is_some() && now.since(self.last_seen) > HUNG;
        if hung {
            self.link = None;
            self.lost("it brings no frames that can be used", now);
        }
        hung
    }

    fn lost(&mut self, reason: &str, now: Timestamp) {
        log::warn!(
            "{}: lost: {reason}; looking for it again",
            self.config.device.display()
        );
        self.retry = FIRST_RETRY;
        self.retry_at = now.plus(self.retry);
    }

    /// Puts the outcome of an attempt to open the camera into effect.
    pub fn reopen(&mut self, link: Result<Box<dyn CameraLink>, AcquireError>, now: Timestamp) {
        let tried = self.opening.take().unwrap_or(now);
        match link {
            Ok(link) => {
                self.back = Some((tried, now));
                self.agreed = link.agreed().clone();
                self.link = Some(link);
                self.complaint.clear();
                self.clock = StreamClock::new(self.agreed.fps);
                self.intake.reset();
                self.expected = None;
                (self.last_frame_number, self.closed_at) = (None, None);
                self.last_seen = now;
            }
            Err(error) => {
                self.retry = match error {
                    AcquireError::Absent { .. } => FIRST_RETRY,
                    _ => (self.retry * 2).min(LAST_RETRY),
                };
                self.retry_at = now.plus(self.retry);
                self.complain(&error);
            }
        }
    }

    /// Says why a camera is not there, once for each reason.
    pub fn complain(&mut self, error: &AcquireError) {
        let text = error.to_string();
        if self.complaint != text {
            log::warn!("{text}; looking for it again");
            self.complaint = text;
        }
    }

    fn accept(&mut self, bytes: &[u8], info: BufferInfo, now: Timestamp) -> Option<Shared<Frame>> {
        self.received += 1;
        if let Some((tried, opened)) = self.back.take() {
            log::info!(
                "{}: back: opened in {} ms, a frame {} ms later",
                self.config.device.display(),
                opened.since(tried).as_millis(),
                now.since(opened).as_millis()
            );
        }
        self.count_gap(info.sequence);
        if info.error {
            self.damage("the driver marks the buffer as damaged");
            return None;
        }
        let taken = self.clock.place(info.timestamp, self.sequence, now);
        if !self.is_new_picture(bytes, now) {
            self.last_seen = now;
            return None;
        }
        let Some(mut frame) = self.pool.take() else {
            self.dropped += 1;
            self.last_seen = now;
            return None;
        };
        if let Err(error) = self.unpack(bytes, &mut frame) {
            self.damage(&error.to_string());
            return None;
        }
        self.last_seen = now;
        self.intake.take(&mut frame);
        frame.timestamp = shifted(taken, self.config.offset_ms);
        frame.sequence = self.sequence;
        Some(frame.share())
    }

    /// Counts a damaged frame. The first, the second, the fourth ... is told: enough to see it, not enough to
    /// fill a disk.
    fn damage(&mut self, why: &str) {
        self.damaged += 1;
        if self.damaged.is_power_of_two() {
            let (device, count) = (self.config.device.display(), self.damaged);
            log::warn!("{device}: {why} ({count} damaged)");
        }
    }

    /// Reads telemetry, where there is any: `false` for a frame that was sent again, and for one of
    /// the closed shutter. The last picture is held then, and its range with it.
    fn is_new_picture(&mut self, bytes: &[u8], now: Timestamp) -> bool {
        self.kelvin = self.config.kelvin_per_count.filter(|k| *k > 0.0);
        let telemetry = match self.config.telemetry {
            Some(TelemetryKind::Lepton) => telemetry::lepton(&self.agreed.layout, bytes),
            None => None,
        };
        // A buffer without its telemetry is torn, and unpacking says so.
        let Some(telemetry) = telemetry else {
            return true;
        };
        self.kelvin = self.kelvin.and(telemetry.kelvin_per_count);
        let closed = telemetry.shutter == Shutter::Closed;
        if closed != self.closed_at.is_some() {
            let state = if closed { "closed (FFC)" } else { "open" };
            log::info!("{}: shutter {state}", self.config.device.display());
            self.closed_at = closed.then_some(now);
            // The shutter evens the sensor out: what was learnt of it is over.
            self.intake.reset();
        }
        let again = self.last_frame_number.replace(telemetry.frame) == Some(telemetry.frame);
        !again && !closed
    }

    fn count_gap(&mut self, sequence: u32) {
        let gap = self
            .expected
            .map_or(0, |expected| sequence.wrapping_sub(expected));
        let gap = if gap > LARGEST_GAP { 0 } else { gap };
        self.dropped += u64::from(gap);
        self.sequence += 1 + u64::from(gap);
        self.expected = Some(sequence.wrapping_add(1));
    }

    fn unpack(&mut self, bytes: &[u8], frame: &mut Frame) -> Result<(), UnpackError> {
        let (layout, format) = (&self.agreed.layout, self.agreed.format);
        let (quantization, out) = (self.agreed.quantization, &mut frame.picture);
        match format {
            PixelFormat::Yuyv | PixelFormat::Uyvy => {
                packed_to_rgb(layout, format, quantization, bytes, out)
            }
            PixelFormat::Nv12 | PixelFormat::Yu12 | PixelFormat::Yv12 => {
                planar_to_rgb(layout, format, quantization, bytes, out)
            }
            PixelFormat::Rgb24 => rgb(layout, bytes, out),
            PixelFormat::Grey => grey(layout, bytes, out),
            PixelFormat::Mjpg => self.jpeg.decode(layout.size, bytes, out),
            PixelFormat::Y10
            | PixelFormat::Y12
            | PixelFormat::Y16
            | PixelFormat::Y16Be
            | PixelFormat::YuyvOverY16 => {
                let raw = frame
                    .counts
                    .get_or_insert_with(|| crate::frame::Counts::new(layout.size));
                raw.kelvin = self.kelvin;
                counts(layout, format, bytes, raw)
            }
        }
    }
}

/// How a camera's counts are mapped to grey.
fn range(config: &CameraConfig, format: PixelFormat) -> RangeConfig {
    let bits = format.count_mask().count_ones();
    RangeConfig::for_counts(bits, config.kelvin_per_count)
}

/// `time` + `offset_ms`, at least the origin.
fn shifted(time: Timestamp, offset_ms: i64) -> Timestamp {
    let offset = Duration::from_millis(offset_ms.unsigned_abs());
    if offset_ms < 0 {
        time.minus(offset)
    } else {
        time.plus(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_move_time_both_ways_and_stop_at_its_ends() {
        let time = Timestamp::from_nanos(5_000_000);
        assert_eq!(shifted(time, 2).as_nanos(), 7_000_000);
        assert_eq!(shifted(time, -2).as_nanos(), 3_000_000);
        assert_eq!(shifted(time, i64::MIN), Timestamp::ZERO);
        assert_eq!(shifted(time, i64::MAX).as_nanos(), u64::MAX);
    }

    /// Bytes of a 160x2 picture with two rows of a Lepton's telemetry.
    fn lepton_frame(number: u16, state: u16, on: u16) -> Vec<u8> {
        let mut words = vec![30_000u16; 2 * 160];
        let mut telemetry = vec![0; 2 * 160];
        // The revision of the telemetry is never 0.
        telemetry[0] = 14;
        (telemetry[4], telemetry[21], telemetry[208], telemetry[209]) = (state << 4, number, on, 1);
        words.extend(telemetry);
        words.iter().flat_map(|w| w.to_le_bytes()).collect()
    }

    fn lepton_side() -> CameraChannel {
        let config = CameraConfig {
            device: "usb:1e4e:0100".into(),
            format: "Y16".into(),
            width: 160,
            height: 4,
            telemetry_rows: 2,
            telemetry: Some(TelemetryKind::Lepton),
            kelvin_per_count: Some(0.5),
            ..CameraConfig::default()
        };
        let format = crate::acquire::camera::check_config(&config).unwrap();
        let expected = crate::acquire::camera::expected(&config, format);
        let clean = CleanConfig::default();
        CameraChannel::new(
            Role::Infrared,
            config,
            None,
            expected,
            &clean,
            Timestamp::ZERO,
        )
    }

    #[test]
    fn repeats_and_the_shutter_are_left_out() {
        let mut side = lepton_side();
        let mut sequence = 0;
        let mut shown = |side: &mut CameraChannel, number, state| {
            sequence += 1;
            let info = BufferInfo {
                sequence,
                timestamp: Some(Timestamp::from_nanos(u64::from(sequence))),
                error: false,
            };
            side.accept(&lepton_frame(number, state, 1), info, Timestamp::ZERO)
                .is_some()
        };
        // Each number three times, as PureThermal sends them.
        let first: Vec<_> = (0..9).map(|i| shown(&mut side, i / 3, 0)).collect();
        assert_eq!(
            first,
            [true, false, false, true, false, false, true, false, false]
        );
        assert!(shown(&mut side, 10, 1), "imminent is still of the scene");
        assert!(!shown(&mut side, 11, 2) && !shown(&mut side, 12, 2));
        assert!(side.holds(Timestamp::from_nanos(9_000_000_000)));
        assert!(!side.holds(Timestamp::from_nanos(10_000_000_000)));
        assert!(shown(&mut side, 13, 3));
        assert!(!side.holds(Timestamp::ZERO));
        assert_eq!((side.received, side.dropped, side.damaged), (13, 0, 0));
    }

    #[test]
    fn telemetry_says_whether_counts_are_temperatures() {
        let mut side = lepton_side();
        let mut kelvin = |number, on| {
            let info = BufferInfo {
                sequence: u32::from(number),
                timestamp: None,
                error: false,
            };
            let now = Timestamp::from_nanos(1_000);
            let frame = side
                .accept(&lepton_frame(number, 0, on), info, now)
                .unwrap();
            frame.counts.as_ref().unwrap().kelvin
        };
        assert_eq!((kelvin(1, 1), kelvin(2, 0)), (Some(0.01), None));
        // Without its rows of telemetry a buffer is damaged, not a frame.
        let info = BufferInfo {
            sequence: 3,
            timestamp: None,
            error: false,
        };
        let bytes = &lepton_frame(3, 0, 1)[..2 * 320 + 100];
        assert!(side.accept(bytes, info, Timestamp::ZERO).is_none());
        assert_eq!(side.damaged, 1);
    }
}
