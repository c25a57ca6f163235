//! Convolution of signed 8-bit features, and what a network needs around it.
//!
//! Input and output: features `[height, width, channels]`, levels -127..=127 of a symmetric scale;
//! planes of `f32`. Thread: any. Blocks: never. Allocates: [`ConvLayer::new`]; [`ConvLayer::run`]
//! once per thread the rows under its window (some kilobytes). Fails when: [`ConvLayer::new`] says so; slices do
//! not fit (a panic: a caller's mistake). Not its job: scales, graphs, threads.
//!
//! Sums are exact in `i32`. What follows is `f32`: one multiplication, at most one multiplication
//! and addition for a residual and one for a modulation, and rounding to even, each alone and in
//! this order, so that every [`Path`] gives the same bytes.

/// Runs the block for the cells of a row: N is the tile's width, and 1 for the cells that fill none.
#[cfg(target_arch = "x86_64")]
macro_rules! by_tiles {
    ($x:ident to $width:expr, $n:ident of $tile:expr, $run:block) => {
        let mut $x = 0;
        {
            const $n: usize = $tile;
            while $x + $n <= $width {
                $run;
                $x += $n;
            }
        }
        const $n: usize = 1;
        while $x < $width {
            $run;
            $x += $n;
        }
    };
}

#[cfg(target_arch = "aarch64")]
#[expect(
    unsafe_code,
    reason = "vector loads and stores through pointers; the bounds are asserted once per row"
)]
mod aarch64;
mod activity;
mod attention;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector loads and stores through pointers; the bounds are asserted once per row"
)]
mod avx2;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector loads and stores through pointers; the bounds are asserted once per row"
)]
mod avx512;
mod blend;
mod cells;
mod exponential;
mod pack;
mod planes;
mod product;
mod reference;
mod rows;
mod scratch;
#[cfg(test)]
mod tests;
mod upsample;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector loads and stores through pointers; the bounds are asserted once per row"
)]
mod vnni256;
#[cfg(target_arch = "x86_64")]
#[expect(
    unsafe_code,
    reason = "vector loads and stores through pointers to whole blocks"
)]
mod x86;

pub use attention::{Attention, PreparedText, Scales, TextRows};
pub use blend::{Blend, Means};
pub use cells::{Pool, Quantise, depth_order};
pub use planes::{grey_row, unit_row};
pub use product::Product;
pub use scratch::{Lendable, Lent, lend};
pub use upsample::{Upsampler, Upsampling};

use std::sync::OnceLock;

use pack::{Packed, check};
use rows::{Lines, over_rows};

/// Output channels that a kernel computes together; weights are packed in such blocks.
pub const BLOCK: usize = 32;

/// Cells along each axis of one coarse cell, and pixels along each axis of one cell.
pub const CELL: usize = 4;

/// An implementation that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path(Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Reference,
    #[cfg(target_arch = "aarch64")]
    Neon,
    #[cfg(target_arch = "aarch64")]
    Dotprod,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// A kernel in plain Rust that is compiled once per path: the same operations in wider registers.
/// What it calls has to be inlined into [`Portable::run`] for that.
pub(crate) trait Portable {
    /// Computes.
    fn run(self);
}

impl Path {
    /// Plain Rust, on every processor.
    pub const REFERENCE: Self = Self(Kind::Reference);

    /// All that this processor has, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut paths = vec![Self::REFERENCE];
        #[cfg(target_arch = "aarch64")]
        {
            paths.push(Self(Kind::Neon));
            if std::arch::is_aarch64_feature_detected!("dotprod") {
                paths.push(Self(Kind::Dotprod));
            }
        }
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                paths.push(Self(Kind::Avx2));
            }
            if is_x86_feature_detected!("avx2") && vnni256::detected() {
                paths.push(Self(Kind::AvxVnni));
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vnni")
            {
                paths.push(Self(Kind::Avx512));
            }
        }
        paths
    }

    /// The fastest that this processor has. Found once: operators ask in every frame.
    pub fn best() -> Self {
        static BEST: OnceLock<Path> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().pop().unwrap_or(Self::REFERENCE))
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Reference => "reference",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "NEON",
            #[cfg(target_arch = "aarch64")]
            Kind::Dotprod => "NEON dotprod",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Kind::AvxVnni => "AVX-VNNI",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "AVX512-VNNI",
        }
    }

    /// Runs a kernel as it is compiled for this path.
    pub(crate) fn run(self, kernel: impl Portable) {
        match self.0 {
            Kind::Reference => kernel.run(),
            // In the baseline of this processor already.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon | Kind::Dotprod => kernel.run(),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 | Kind::AvxVnni => avx2::run(kernel),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => avx512::run(kernel),
        }
    }
}

/// Sizes of a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Output channels.
    pub outputs: usize,
    /// Input channels, a multiple of 4.
    pub inputs: usize,
    /// 1, or 3 with a border of zeros.
    pub kernel: usize,
}

/// A convolution made ready for one [`Path`].
#[derive(Debug, Clone, PartialEq)]
pub struct ConvLayer {
    shape: ConvShape,
    packed: Packed,
    /// In units of the products, padded to whole blocks.
    bias: Vec<i32>,
    /// From units of the products to levels of the output, padded to whole blocks.
    multiplier: Vec<f32>,
    relu: bool,
    path: Path,
}

/// What is done to a sum besides bias and multiplier.
#[derive(Debug, Clone, Copy, Default)]
pub struct Epilogue<'a> {
    /// Features of the output's size, and the factor from their levels to the output's.
    pub residual: Option<(&'a [i8], f32)>,
    /// Factor and addend (in the output's levels) per output channel, after the ReLU.
    pub modulation: Option<[&'a [f32]; 2]>,
}

/// What a convolution may give.
pub trait Level: Copy + Send + Sync {
    /// From a value in the output's levels.
    fn of(value: f32) -> Self;

    /// Whether there is a lowest one.
    #[cfg(target_arch = "aarch64")]
    const BOUNDED: bool;

    /// [`Level::of`] each of a block of values; where levels are bounded, with `low` for the lowest.
    #[cfg(target_arch = "aarch64")]
    fn put_vectors(values: aarch64::Values, low: f32, to: &mut [Self; aarch64::BLOCK]);

    /// [`Level::of`] each of a block of values.
    ///
    /// # Safety
    /// The processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "instructions beyond the baseline")]
    unsafe fn put_vectors(values: x86::Values, to: &mut [Self; BLOCK]);
}

impl Level for f32 {
    #[inline(always)]
    fn of(value: f32) -> Self {
        value
    }

    #[cfg(target_arch = "aarch64")]
    const BOUNDED: bool = false;

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn put_vectors(values: aarch64::Values, _: f32, to: &mut [Self; aarch64::BLOCK]) {
        aarch64::put_floats(values, to);
    }

    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "instructions beyond the baseline")]
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn put_vectors(values: x86::Values, to: &mut [Self; BLOCK]) {
        // SAFETY: as this function's own.
        unsafe { x86::put_floats(values, to) }
    }
}

impl Level for i8 {
    /// Rounds half to even within -127..=127; NaN becomes -127.
    #[inline(always)]
    fn of(value: f32) -> Self {
        // Written so that it is one instruction each; `clamp` treats NaN in its own way.
        let value = if value > -127.0 { value } else { -127.0 };
        let value = if value < 127.0 { value } else { 127.0 };
        // At 1.5 * 2^23 neighbouring f32 are 1 apart, so the addition rounds, and the low bits
        // of the sum are the two's complement of the result.
        (value + 12_582_912.0).to_bits() as i8
    }

    #[cfg(target_arch = "aarch64")]
    const BOUNDED: bool = true;

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    fn put_vectors(values: aarch64::Values, low: f32, to: &mut [Self; aarch64::BLOCK]) {
        aarch64::put_levels(values, low, to);
    }

    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "instructions beyond the baseline")]
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn put_vectors(values: x86::Values, to: &mut [Self; BLOCK]) {
        // SAFETY: as this function's own.
        unsafe { x86::put_levels(values, to) }
    }
}

impl ConvLayer {
    /// Packs weights `[outputs, inputs, kernel, kernel]` with their bias (in units of the products)
    /// and multiplier (from there to the output's levels) per output channel.
    ///
    /// # Errors
    /// A sentence, where sizes do not fit each other or a number is out of its range.
    pub fn new(
        shape: ConvShape,
        weights: &[i8],
        (bias, multiplier): (&[i32], &[f32]),
        relu: bool,
        path: Path,
    ) -> Result<Self, String> {
        let mut layer = Self::empty(relu, path);
        layer.refill(shape, weights, (bias, multiplier))?;
        Ok(layer)
    }

    /// One without outputs, for [`ConvLayer::refill`].
    pub(super) fn empty(relu: bool, path: Path) -> Self {
        Self {
            shape: ConvShape {
                outputs: 0,
                inputs: 4,
                kernel: 1,
            },
            packed: Packed::none(path.0),
            bias: Vec::new(),
            multiplier: Vec::new(),
            relu,
            path,
        }
    }

    /// Another shape, other weights and constants, as [`ConvLayer::new`] takes them; allocates only
    /// what it never had. After an error it is as before.
    ///
    /// # Errors
    /// As there.
    pub(super) fn refill(
        &mut self,
        shape: ConvShape,
        weights: &[i8],
        (bias, multiplier): (&[i32], &[f32]),
    ) -> Result<(), String> {
        check(shape, weights, bias, multiplier)?;
        let padded = shape.outputs.next_multiple_of(BLOCK);
        self.shape = shape;
        self.packed.fill(shape, weights);
        self.bias.clear();
        self.bias.extend_from_slice(bias);
        self.bias.resize(padded, 0);
        self.multiplier.clear();
        self.multiplier.extend_from_slice(multiplier);
        self.multiplier.resize(padded, 0.0);
        Ok(())
    }

    /// Its sizes.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Convolves `input` `[height, width, inputs]` to `out` `[height, width, outputs]`.
    pub fn run<T: Level>(
        &self,
        input: &[i8],
        (height, width): (usize, usize),
        epilogue: &Epilogue<'_>,
        out: &mut [T],
    ) {
        assert!(out.len() == height * width * self.shape.outputs);
        self.run_rows(input, (height, width), epilogue, 0, out);
    }

    /// As [`ConvLayer::run`], only the rows from `first` on for which `out` has room.
    pub fn run_rows<T: Level>(
        &self,
        input: &[i8],
        (height, width): (usize, usize),
        epilogue: &Epilogue<'_>,
        first: usize,
        out: &mut [T],
    ) {
        let ConvShape {
            outputs, inputs, ..
        } = self.shape;
        let (cells, row) = (height * width, width * outputs);
        assert!(input.len() == cells * inputs);
        assert!(first * row + out.len() <= cells * outputs);
        let whole = |(values, _): (&[i8], f32)| values.len() == cells * outputs;
        assert!(epilogue.residual.is_none_or(whole));
        let fits = |m: &[&[f32]; 2]| m.iter().all(|values| values.len() == outputs);
        assert!(epilogue.modulation.as_ref().is_none_or(fits));
        if out.is_empty() {
            return;
        }
        assert!(out.len().is_multiple_of(row));
        let job = Job {
            layer: self,
            width,
            epilogue,
        };
        let band = (first, out);
        match &self.packed {
            Packed::Plain(weights) => {
                over_rows(&job, input, band, (0_i8, |x| x), |lines, y, out| {
                    reference::row(&job, weights, lines, y, out);
                });
            }
            #[cfg(target_arch = "aarch64")]
            Packed::Products(weights) => {
                over_rows(&job, input, band, (0_i8, |x| x), |lines, y, out| {
                    aarch64::row_of_products(&job, weights, lines, y, out);
                });
            }
            #[cfg(target_arch = "aarch64")]
            Packed::Dots(weights) => {
                over_rows(&job, input, band, (0_i8, |x| x), |lines, y, out| {
                    aarch64::row_of_dots(&job, weights, lines, y, out);
                });
            }
            #[cfg(target_arch = "x86_64")]
            Packed::Pairs(weights) => {
                over_rows(&job, input, band, (0_i16, i16::from), |lines, y, out| {
                    avx2::row_checked(&job, weights, lines, y, out);
                });
            }
            #[cfg(target_arch = "x86_64")]
            Packed::Quads(weights, start) => {
                let raised = |x: i8| (x as u8) ^ 128;
                let packed = (&weights[..], &start[..]);
                over_rows(&job, input, band, (128_u8, raised), |lines, y, out| {
                    if self.path.0 == Kind::AvxVnni {
                        vnni256::row_checked(&job, packed, lines, y, out);
                    } else {
                        avx512::row_checked(&job, packed, lines, y, out);
                    }
                });
            }
        }
    }
}

/// A convolution over one input.
struct Job<'a> {
    layer: &'a ConvLayer,
    width: usize,
    epilogue: &'a Epilogue<'a>,
}

/// Features behind the end of a line that a kernel may read.
#[cfg(target_arch = "aarch64")]
use aarch64::slack;
#[cfg(not(target_arch = "aarch64"))]
fn slack(_: usize) -> usize {
    0
}
