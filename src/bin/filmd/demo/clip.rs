//! A run as an animated GIF.
//!
//! Input: [`FusedFrame`]s. Output: a GIF of at most [`FRAMES`] frames at half size. Blocks:
//! [`Clip::encode`] on its writer. Fails when: the writer does. Not its job: the file.

use std::io::Write;

use filmd::clock::Timestamp;
use filmd::frame::{Picture, Size};
use filmd::fuse::FusedFrame;
use filmd::present::{Filter, PixelOrder, Scaler};
use image::codecs::gif::{GifEncoder, Repeat};
use image::{Delay, Frame, RgbaImage};

use super::sampler::Sampler;

/// Frames kept at most: 12.8 s at 10 a second; a longer run gets fewer a second, and from
/// 25.6 s on it is shown faster than it was.
const FRAMES: usize = 128;
/// Time between frames at first, in milliseconds: GIF viewers are slow, files large.
const INTERVAL_MS: u64 = 100;
/// A frame is shown no longer than this.
const MAX_DELAY_MS: u64 = 200;
/// Widest clip.
const MAX_WIDTH: usize = 480;
/// Of 1 (best) to 30 (fastest), as the encoder has it: every 10th pixel makes the palette.
const SPEED: i32 = 10;

/// Collects frames for a clip in bounded memory, whatever the length of the run.
#[derive(Debug)]
pub struct Clip {
    scaler: Scaler,
    frames: Sampler<Picture>,
    started: Option<Timestamp>,
}

impl Clip {
    /// For frames of `size`; others are passed over.
    pub fn new(size: Size) -> Self {
        let width = (size.width / 2).clamp(1, MAX_WIDTH);
        let height = (size.height * width / size.width.max(1)).max(1);
        let half = Size::new(width, height);
        Self {
            scaler: Scaler::new(size, half, Filter::Bilinear, PixelOrder::Rgb),
            frames: Sampler::new(FRAMES, INTERVAL_MS, || Picture::rgb(half)),
            started: None,
        }
    }

    /// Keeps `frame` where its time has come.
    pub fn offer(&mut self, frame: &FusedFrame) {
        if frame.picture.size() != self.scaler.src() {
            return;
        }
        let started = *self.started.get_or_insert(frame.timestamp);
        let elapsed = frame.timestamp.since(started).as_millis();
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        if let Some(kept) = self.frames.offer(elapsed) {
            let pitch = 3 * kept.width();
            self.scaler.scale(&frame.picture, kept.data_mut(), pitch);
        }
    }

    /// Whether there is nothing to encode.
    pub fn is_empty(&self) -> bool {
        self.frames.kept().len() == 0
    }

    /// Writes the clip, repeating for ever, each frame shown for as long as it was in the run
    /// (100 to 200 ms).
    ///
    /// # Errors
    /// The writer's, in words; a side of over 65,535 pixels.
    pub fn encode(&self, out: impl Write) -> Result<(), String> {
        let mut encoder = GifEncoder::new_with_speed(out, SPEED);
        let told = |error: image::ImageError| error.to_string();
        encoder.set_repeat(Repeat::Infinite).map_err(told)?;
        let next = self.frames.kept().skip(1).map(|(time, _)| Some(time));
        for ((time, picture), next) in self.frames.kept().zip(next.chain([None])) {
            let shown = next.map_or(0, |next| next - time);
            encoder.encode_frame(frame(picture, shown)?).map_err(told)?;
        }
        Ok(())
    }
}

fn frame(picture: &Picture, shown_ms: u64) -> Result<Frame, String> {
    let side = |n: usize| u32::try_from(n).map_err(|error| error.to_string());
    let (rgb, _) = picture.data().as_chunks::<3>();
    let rgba = rgb.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    let buffer = RgbaImage::from_raw(side(picture.width())?, side(picture.height())?, rgba)
        .ok_or("the picture is not RGB")?;
    let delay = shown_ms.clamp(INTERVAL_MS, MAX_DELAY_MS);
    // GIF counts in 10 ms.
    let delay = u32::try_from((delay + 5) / 10 * 10).unwrap_or(u32::MAX);
    Ok(Frame::from_parts(
        buffer,
        0,
        0,
        Delay::from_numer_denom_ms(delay, 1),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use filmd::config::Mode;
    use filmd::metrics::Marks;
    use image::AnimationDecoder;
    use image::codecs::gif::GifDecoder;

    fn run(frames: u64, period_ms: u64) -> Clip {
        let size = Size::new(16, 12);
        let mut clip = Clip::new(size);
        let mut frame = FusedFrame {
            picture: Picture::rgb(size),
            timestamp: Timestamp::ZERO,
            sequence: 0,
            mode: Mode::Fused,
            marks: Marks::default(),
            sources: None,
        };
        for n in 0..frames {
            frame.timestamp = Timestamp::from_nanos((n * period_ms + 77) * 1_000_000);
            let value = (n * 255 / frames) as u8;
            frame.picture.data_mut().fill(value);
            clip.offer(&frame);
        }
        clip
    }

    fn decode(clip: &Clip) -> Vec<Frame> {
        let mut bytes = Vec::new();
        clip.encode(&mut bytes).unwrap();
        let decoder = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
        decoder.into_frames().collect_frames().unwrap()
    }

    #[test]
    fn ten_seconds_at_30_fps_become_ten_frames_a_second() {
        let frames = decode(&run(300, 33));
        assert!((97..=100).contains(&frames.len()), "{}", frames.len());
        let total: u32 = frames.iter().map(|f| f.delay().numer_denom_ms().0).sum();
        assert!((9_500..=10_500).contains(&total), "{total}");
        assert_eq!(frames[0].buffer().dimensions(), (8, 6));
        let last = frames[frames.len() - 1].buffer().get_pixel(3, 3).0;
        assert!(last[0] > 245 && last[3] == 255, "{last:?}");
    }

    #[test]
    fn long_runs_stay_bounded_and_are_covered_to_the_end() {
        let clip = run(100_000, 33);
        let kept: Vec<u64> = clip.frames.kept().map(|(time, _)| time).collect();
        assert!((64..=128).contains(&kept.len()), "{}", kept.len());
        assert!(kept[0] == 0 && kept[kept.len() - 1] > 3_200_000);
        let delays = decode(&clip);
        assert!(delays.iter().all(|f| f.delay().numer_denom_ms().0 <= 200));
    }

    #[test]
    fn one_frame_is_a_clip_too() {
        assert_eq!(decode(&run(1, 33)).len(), 1);
        assert!(run(0, 33).is_empty());
    }
}
