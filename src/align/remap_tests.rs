use super::*;
use crate::align::Calibration;
use crate::align::geometry::Geometry;
use proptest::prelude::*;

const SMALL: Size = Size::new(23, 17);

fn positions(h: [f64; 9], source: Size, output: Size) -> Positions {
    let calibration = Calibration::from_homography(h, source, output);
    let geometry = Geometry::infrared(&calibration, None, output).unwrap();
    geometry.positions(source)
}

fn noise(size: Size, channels: usize, seed: u64) -> Picture {
    let mut state = seed | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let data = std::iter::repeat_with(next).take(size.area() * channels);
    Picture::from_data(size, channels, data.collect()).unwrap()
}

/// The interpolation of the four weights a tap has, in floating point, edges repeated.
fn expected(source: &Picture, c: usize, (u, v): (f64, f64), sampling: Sampling) -> f64 {
    let kernel = |t: f64| match sampling {
        Sampling::Bilinear => [0.0, 1.0 - t, t, 0.0],
        Sampling::Cubic => [
            -0.5 * t * t * t + t * t - 0.5 * t,
            1.5 * t * t * t - 2.5 * t * t + 1.0,
            -1.5 * t * t * t + 2.0 * t * t + 0.5 * t,
            0.5 * t * t * t - 0.5 * t * t,
        ],
    };
    let clamp = |p: f64, len: usize| p.clamp(0.0, (len - 1) as f64);
    let (u, v) = (clamp(u, source.width()), clamp(v, source.height()));
    let (wx, wy) = (kernel(u.fract()), kernel(v.fract()));
    let mut sum = 0.0;
    for (j, wy) in wy.iter().enumerate() {
        for (i, wx) in wx.iter().enumerate() {
            let at = |p: f64, k: usize, len: usize| {
                (p.floor() as isize + k as isize - 1).clamp(0, len as isize - 1) as usize
            };
            let (x, y) = (at(u, i, source.width()), at(v, j, source.height()));
            sum += wx * wy * f64::from(source.row(y)[x * source.channels() + c]);
        }
    }
    sum.clamp(0.0, 255.0)
}

/// A mild perspective map, as calibrations have.
fn homographies() -> impl Strategy<Value = [f64; 9]> {
    let part = |range: f64| -range..range;
    (
        (0.2..1.4_f64, 0.2..1.4_f64, part(0.3), part(0.3)),
        (part(8.0), part(8.0), part(0.004), part(0.004)),
    )
        .prop_map(|((sx, sy, a, b), (tx, ty, p, q))| [sx, a, tx, b, sy, ty, p, q, 1.0])
}

proptest! {
    #[test]
    fn a_free_table_equals_the_definition(
        h in homographies(), three in any::<bool>(), cubic in any::<bool>(), seed in any::<u64>(),
    ) {
        let output = Size::new(31, 19);
        let source = noise(SMALL, if three { 3 } else { 1 }, seed);
        let sampling = if cubic { Sampling::Cubic } else { Sampling::Bilinear };
        let positions = positions(h, SMALL, output);
        prop_assume!(positions.at(0.0, 0.0).0.is_finite());
        let mut table = RemapTable::with_sampling(&positions, (SMALL, output), sampling);
        let mut out = Picture::grey(Size::new(1, 1));
        table.apply(&source, &mut out);
        prop_assert_eq!((out.size(), out.channels()), (output, source.channels()));
        for y in 0..output.height {
            for x in 0..output.width {
                let at = positions.at(x as f64, y as f64);
                for c in 0..source.channels() {
                    let found = f64::from(out.row(y)[x * source.channels() + c]);
                    let wanted = expected(&source, c, at, sampling);
                    // Half of 1/256 pixel on each axis moves a sample by at most about 1.5
                    // between black and white neighbours.
                    prop_assert!((found - wanted).abs() <= 3.0, "{x} {y}: {found} {wanted}");
                }
            }
        }
    }

    #[test]
    fn axes_and_free_tables_give_the_same_bytes(
        sx in 0.1..2.0_f64, sy in 0.1..2.0_f64, tx in -9.0..30.0_f64, ty in -9.0..30.0_f64,
        three in any::<bool>(), cubic in any::<bool>(), seed in any::<u64>(),
    ) {
        let output = Size::new(40, 30);
        let source = noise(SMALL, if three { 3 } else { 1 }, seed);
        let sampling = if cubic { Sampling::Cubic } else { Sampling::Bilinear };
        let positions = positions([sx, 0.0, tx, 0.0, sy, ty, 0.0, 0.0, 1.0], SMALL, output);
        let mut axes = RemapTable::with_sampling(&positions, (SMALL, output), sampling);
        prop_assert!(matches!(axes.kind, Kind::Axes(_)));
        let mut free = axes.clone();
        free.kind = Kind::Free(Free::new(&positions, SMALL, output));
        let mut out = [Picture::grey(output), Picture::grey(output)];
        axes.apply(&source, &mut out[0]);
        free.apply(&source, &mut out[1]);
        prop_assert_eq!(&out[0], &out[1]);
    }

    #[test]
    fn whole_pixel_shifts_are_exact(dx in -30..30_isize, dy in -30..30_isize, seed in any::<u64>()) {
        let source = noise(SMALL, 3, seed);
        let h = [1.0, 0.0, dx as f64, 0.0, 1.0, dy as f64, 0.0, 0.0, 1.0];
        let mut table = RemapTable::new(&positions(h, SMALL, SMALL), SMALL, SMALL);
        prop_assert_eq!(matches!(table.kind, Kind::Copy), dx == 0 && dy == 0);
        prop_assert_eq!(table.coverage().is_none(), dx == 0 && dy == 0);
        let mut out = Picture::grey(SMALL);
        table.apply(&source, &mut out);
        for y in 0..SMALL.height {
            for x in 0..SMALL.width {
                let clamp = |p: isize, len: usize| p.clamp(0, len as isize - 1) as usize;
                let u = clamp(x as isize + dx, SMALL.width);
                let v = clamp(y as isize + dy, SMALL.height);
                prop_assert_eq!(&out.row(y)[x * 3..x * 3 + 3], &source.row(v)[u * 3..u * 3 + 3]);
            }
        }
    }
}

#[test]
fn a_coarse_picture_is_magnified_by_the_smooth_kernel() {
    let (thermal, output) = (Size::new(160, 120), Size::new(640, 480));
    let h = [0.25, 0.0, -0.375, 0.0, 0.25, -0.375, 0.0, 0.0, 1.0];
    let table = RemapTable::new(&positions(h, thermal, output), thermal, output);
    assert_eq!(table.sampling(), Sampling::Cubic);
    let same = RemapTable::new(&positions(h, output, output), output, output);
    assert_eq!(same.sampling(), Sampling::Cubic);
    let near = [0.9, 0.0, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 1.0];
    let table = RemapTable::new(&positions(near, output, output), output, output);
    assert_eq!(table.sampling(), Sampling::Bilinear);
}

/// Four times magnified, a smooth scene comes out nearer to itself than by bilinear sampling,
/// whose kinks at the source's pixels show as a lattice.
#[test]
fn the_smooth_kernel_hides_the_lattice() {
    let (thermal, output) = (Size::new(40, 30), Size::new(160, 120));
    let scene = |u: f64, v: f64| 128.0 + 100.0 * (u * 0.8).sin() * (v * 0.7).cos();
    let mut source = Picture::grey(thermal);
    for y in 0..thermal.height {
        for x in 0..thermal.width {
            source.row_mut(y)[x] = scene(x as f64, y as f64).round() as u8;
        }
    }
    let h = [0.25, 0.0, -0.375, 0.0, 0.25, -0.375, 0.0, 0.0, 1.0];
    let error = |sampling| {
        let positions = positions(h, thermal, output);
        let mut table = RemapTable::with_sampling(&positions, (thermal, output), sampling);
        let mut out = Picture::grey(output);
        table.apply(&source, &mut out);
        let mut sum = 0.0;
        for y in 8..output.height - 8 {
            for x in 8..output.width - 8 {
                let (u, v) = positions.at(x as f64, y as f64);
                sum += (f64::from(out.row(y)[x]) - scene(u, v)).powi(2);
            }
        }
        sum
    };
    let (bilinear, cubic) = (error(Sampling::Bilinear), error(Sampling::Cubic));
    assert!(
        cubic * 4.0 < bilinear,
        "squared error {cubic} against {bilinear}"
    );
}

#[test]
fn the_smallest_pictures_work() {
    let one = Size::new(1, 1);
    let source = Picture::from_data(one, 3, vec![1, 2, 3]).unwrap();
    let h = [1.0, 0.1, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    for h in [h, [1.0, 0.0, 0.2, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]] {
        let output = Size::new(3, 2);
        let mut table = RemapTable::new(&positions(h, one, output), one, output);
        let mut out = Picture::grey(one);
        table.apply(&source, &mut out);
        assert!(out.data().chunks_exact(3).all(|px| px == [1, 2, 3]));
    }
}
