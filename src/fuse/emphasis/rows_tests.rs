use super::*;
use proptest::prelude::*;

/// The same in floating point.
fn exact(amounts: Amounts, excess: i32, [gate, near, base]: [i32; 3], fused: u8) -> f64 {
    let [gate, near] = [gate, near].map(|share| f64::from(share) / 256.0);
    let (level, base) = (f64::from(fused), f64::from(base) / 16.0);
    let warm = (f64::from(excess) * f64::from(amounts.slope) / 65_536.0).clamp(0.0, 1.0);
    let target = warm * gate;
    let room = ((f64::from(WHITE) - base) / f64::from(HEADROOM)).clamp(0.0, 1.0);
    let dark = (level / 64.0).min(1.0);
    let lift = f64::from(amounts.lift) / 16.0 * target * room;
    let dim = f64::from(amounts.dim) / 16.0 * near * (1.0 - target) * dark;
    let detail = (level - base) * target.max(near) * f64::from(amounts.detail) / 256.0;
    let most = f64::from(DETAIL_CHANGE);
    (level + lift - dim + detail.clamp(-most, most)).clamp(0.0, 255.0)
}

proptest! {
    #[test]
    fn a_pixel_is_what_the_formula_says(
        strength in 0_i32..=2 * ONE,
        ramp in 160_i32..=544,
        excess in -4080_i32..=4080,
        shares in (0_i32..=256, 0_i32..=256, 0_i32..=4080),
        fused in any::<u8>(),
    ) {
        let amounts = Amounts::new(strength, ramp);
        let cell = [shares.0, shares.1, shares.2];
        let found = f64::from(emphasised(amounts, excess, cell, fused));
        // Shares are cut off to 1/256 two or three times, of up to 88 levels.
        prop_assert!((found - exact(amounts, excess, cell, fused)).abs() <= 2.0);
    }

    #[test]
    fn every_path_gives_the_same_bytes(
        strength in 0_i32..=2 * ONE,
        data in proptest::collection::vec((any::<u8>(), any::<u8>(), 0_i32..=4080), 1..100),
    ) {
        let amounts = Amounts::new(strength, 300);
        let (infrared, before): (Vec<u8>, Vec<u8>) = data.iter().map(|d| (d.0, d.1)).unzip();
        let field = |shift: i32| data.iter().map(|d| (d.2 * 7 + shift) % 4080).collect::<Vec<_>>();
        let fields = [field(0), field(100), field(2000), field(3000)];
        let by = |path: Path| {
            let mut fused = before.clone();
            path.run(Stretch {
                amounts,
                fields: std::array::from_fn(|i| fields[i].as_slice()),
                infrared: &infrared,
                fused: &mut fused,
            });
            fused
        };
        let expected = by(Path::REFERENCE);
        for path in Path::available() {
            prop_assert_eq!(&by(path), &expected, "{}", path.name());
        }
    }

    #[test]
    fn a_slope_of_cells_is_a_slope_of_pixels(
        columns in 1_usize..12,
        power in 2_u32..5,
        from in -500_i32..500,
        step in -60_i32..60,
    ) {
        let side = 1_usize << power;
        let nodes: Vec<i32> = (0..columns as i32).map(|i| from + step * i).collect();
        let mut field = vec![i32::MIN; (columns + 1) * side];
        for path in Path::available() {
            path.run(Spread { nodes: &nodes, spans: 0..columns + 1, side, field: &mut field });
            for (x, &value) in field.iter().enumerate() {
                // In cells from the first cell's centre.
                let place = (x as f64 + 0.5) / side as f64 - 1.0;
                let place = place.clamp(0.0, (columns - 1) as f64);
                let exact = f64::from(from) + f64::from(step) * place;
                prop_assert!((f64::from(value) - exact).abs() <= 1.0, "{} {x}", path.name());
            }
        }
    }
}
