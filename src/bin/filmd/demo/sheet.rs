//! The contact sheet: moments of a run, each with its sources beside what was shown.
//!
//! Input: [`FusedFrame`]s with sources. Output: an RGB picture. Not its job: files.

use filmd::clock::Timestamp;
use filmd::config::{Mode, Task};
use filmd::frame::{Picture, Size};
use filmd::fuse::FusedFrame;
use filmd::present::{Filter, PixelOrder, Scaler, fit, label, wrap};

use super::sampler::Sampler;

/// Moments on the finished sheet, at most.
const ROWS: usize = 4;
/// Moments kept while running: after thinning still as good as `ROWS`.
const KEPT: usize = 6;
/// Between cells and about them, pixels.
const GAP: usize = 12;
/// Height of the line above a row of cells: a 20-pixel font and some air.
const CAPTION: usize = 26;
/// Width of the font used.
const LETTER: usize = 10;
/// What is not picture.
const BACKGROUND: u8 = 40;

/// Writes pictures of changing sizes into cells of one size, in the middle, black around.
#[derive(Debug)]
struct Cell {
    filter: Filter,
    scaler: Option<Scaler>,
}

impl Cell {
    fn new(filter: Filter) -> Self {
        Self {
            filter,
            scaler: None,
        }
    }

    fn put(&mut self, picture: &Picture, cell: &mut Picture) {
        let rect = fit(picture.size(), cell.size());
        if self.scaler.as_ref().map(Scaler::src) != Some(picture.size()) {
            let (filter, layout) = (self.filter, PixelOrder::Rgb);
            self.scaler = Some(Scaler::new(picture.size(), rect.size, filter, layout));
        }
        cell.data_mut().fill(0);
        let pitch = 3 * cell.width();
        let first = rect.y * pitch + 3 * rect.x;
        if let (Some(scaler), Some(target)) = (&mut self.scaler, cell.data_mut().get_mut(first..)) {
            scaler.scale(picture, target, pitch);
        }
    }
}

/// A moment: four cells and what their caption says.
#[derive(Debug)]
struct Moment {
    /// Visible, thermal as delivered, thermal aligned, shown.
    cells: [Picture; 4],
    thermal_size: Size,
    sequence: u64,
    timestamp: Timestamp,
    mode: Mode,
}

/// Collects moments spread over a run of any length in bounded memory.
#[derive(Debug)]
pub struct Sheet {
    task: Task,
    cell: Size,
    moments: Sampler<Moment>,
    offered: u64,
    started: Option<Timestamp>,
    scalers: [Cell; 4],
}

impl Sheet {
    /// For frames of about `size`: cells have its aspect and are 320 to 640 pixels wide.
    pub fn new(size: Size, task: Task) -> Self {
        let width = size.width.clamp(320, 640);
        let height = (size.height * width / size.width.max(1)).clamp(1, 2 * width);
        let cell = Size::new(width, height);
        let moment = || Moment {
            cells: std::array::from_fn(|_| Picture::rgb(cell)),
            thermal_size: cell,
            sequence: 0,
            timestamp: Timestamp::ZERO,
            mode: Mode::Fused,
        };
        Self {
            task,
            cell,
            moments: Sampler::new(KEPT, 1, moment),
            offered: 0,
            started: None,
            scalers: [
                Cell::new(Filter::Bilinear),
                Cell::new(Filter::Nearest),
                Cell::new(Filter::Bilinear),
                Cell::new(Filter::Bilinear),
            ],
        }
    }

    /// Keeps `frame` where its turn has come; one without sources is passed over.
    pub fn offer(&mut self, frame: &FusedFrame) {
        let Some(sources) = &frame.sources else {
            return;
        };
        let started = *self.started.get_or_insert(frame.timestamp);
        let number = self.offered;
        self.offered += 1;
        let Some(moment) = self.moments.offer(number) else {
            return;
        };
        let pictures = [
            &sources.visible,
            &sources.thermal,
            &sources.aligned,
            &frame.picture,
        ];
        for ((scaler, picture), cell) in
            self.scalers.iter_mut().zip(pictures).zip(&mut moment.cells)
        {
            scaler.put(picture, cell);
        }
        moment.thermal_size = sources.thermal.size();
        moment.sequence = frame.sequence;
        moment.timestamp = Timestamp::ZERO.plus(frame.timestamp.since(started));
        moment.mode = frame.mode;
    }

    /// The sheet: a row for each of at most four moments; `None` where no frame had sources.
    pub fn compose(&self) -> Option<Picture> {
        let rows = self.moments.spread(ROWS).count();
        if rows == 0 {
            return None;
        }
        let pitch = Size::new(self.cell.width + GAP, CAPTION + self.cell.height + GAP);
        let size = Size::new(4 * pitch.width + GAP, rows * pitch.height + GAP);
        let mut sheet = Picture::rgb(size);
        sheet.data_mut().fill(BACKGROUND);
        for (row, (_, moment)) in self.moments.spread(ROWS).enumerate() {
            let captions = self.captions(moment);
            for (column, (cell, caption)) in moment.cells.iter().zip(&captions).enumerate() {
                let x = GAP + column * pitch.width;
                let y = GAP + row * pitch.height;
                for line in wrap(caption, self.cell.width / LETTER, 1) {
                    label(&mut sheet, (x, y), &line);
                }
                for n in 0..cell.height() {
                    let target = &mut sheet.row_mut(y + CAPTION + n)[3 * x..];
                    target[..3 * cell.width()].copy_from_slice(cell.row(n));
                }
            }
        }
        Some(sheet)
    }

    fn captions(&self, moment: &Moment) -> [String; 4] {
        let (a, b) = self.task.sources();
        // Readers of the sheet know the infrared camera as the thermal one.
        let a = if self.task == Task::Ivf { "thermal" } else { a };
        let seconds = moment.timestamp.since(Timestamp::ZERO).as_secs_f64();
        [
            b.to_owned(),
            format!("{a} as delivered, {}", moment.thermal_size),
            format!("{a} aligned"),
            format!(
                "{}, frame {}, {seconds:.1} s",
                moment.mode.name(),
                moment.sequence
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use filmd::fuse::SourceViews;
    use filmd::metrics::Marks;

    fn filled(size: Size, channels: usize, value: u8) -> Picture {
        Picture::from_data(size, channels, vec![value; size.area() * channels]).unwrap()
    }

    fn frame(sequence: u64, size: Size) -> FusedFrame {
        FusedFrame {
            picture: filled(size, 3, 250),
            timestamp: Timestamp::from_nanos(sequence * 33_000_000),
            sequence,
            mode: Mode::Fused,
            marks: Marks::default(),
            sources: Some(SourceViews {
                visible: filled(size, 3, 100),
                thermal: filled(Size::new(80, 60), 1, 150),
                aligned: filled(size, 1, 200),
            }),
        }
    }

    #[test]
    fn cells_lie_where_the_layout_says() {
        let size = Size::new(320, 240);
        let mut sheet = Sheet::new(size, Task::Ivf);
        for n in 0..100 {
            sheet.offer(&frame(n, size));
        }
        let picture = sheet.compose().unwrap();
        assert_eq!(picture.size(), Size::new(4 * 332 + 12, 4 * 278 + 12));
        for row in 0..4 {
            let y = GAP + row * 278 + CAPTION;
            for (column, value) in [100, 150, 200, 250].into_iter().enumerate() {
                let x = GAP + column * 332;
                for y in [y, y + 239] {
                    let cell = &picture.row(y)[3 * x..3 * (x + 320)];
                    assert!(
                        cell.iter().all(|&s| s == value),
                        "row {row} column {column}"
                    );
                }
                // Captions are there, and only above the cell.
                let caption = (y - CAPTION..y - 6)
                    .map(|y| &picture.row(y)[3 * x..3 * (x + 320)])
                    .filter(|row| row.contains(&255));
                assert!(caption.count() > 8);
                assert!(
                    picture.row(y + 240)[3 * x..]
                        .iter()
                        .all(|&s| s == BACKGROUND)
                );
            }
        }
    }

    #[test]
    fn the_moments_are_spread_over_the_run() {
        let size = Size::new(64, 48);
        let mut sheet = Sheet::new(size, Task::Mff);
        for n in 0..5000 {
            sheet.offer(&frame(n, size));
        }
        let kept: Vec<_> = sheet
            .moments
            .spread(ROWS)
            .map(|(_, m)| m.sequence)
            .collect();
        assert!(kept.len() >= 3 && kept[0] == 0 && kept[kept.len() - 1] >= 2500);
    }

    #[test]
    fn sources_of_any_size_are_fitted() {
        let size = Size::new(700, 3);
        let mut sheet = Sheet::new(size, Task::Mef);
        for (n, side) in [1usize, 999, 2].into_iter().enumerate() {
            let mut frame = frame(n as u64, size);
            if let Some(sources) = &mut frame.sources {
                sources.thermal = filled(Size::new(side, 1), 1, 9);
                sources.visible = filled(Size::new(1, side), 3, 9);
            }
            sheet.offer(&frame);
        }
        assert!(sheet.compose().is_some());
    }

    #[test]
    fn without_sources_there_is_no_sheet() {
        let size = Size::new(64, 48);
        let mut sheet = Sheet::new(size, Task::Ivf);
        sheet.offer(&FusedFrame {
            sources: None,
            ..frame(1, size)
        });
        assert!(sheet.compose().is_none());
    }
}
