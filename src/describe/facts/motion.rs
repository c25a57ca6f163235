//! Where objects go: the same ones found again in a later look.
//!
//! Input: objects of two looks. Output: [`Motion`]. What is not found again has no motion. Not its job:
//! keeping looks.

use super::warm::{Motion, WarmObject};

/// Widths of the picture a second: slower is standing.
const SLOW: f32 = 0.012;
/// Growth a second: less is neither approaching nor receding.
const GROWTH: f32 = 0.1;
/// A cell more or less above and below is no growth: parts of the picture's height.
const CELLS_OFF: f32 = 0.018;
/// Looks further apart than this, seconds, have no common objects for certain.
const LONGEST: f32 = 2.0;

/// Gives `now` its motion since `before`, `seconds` earlier.
pub(super) fn follow(now: &mut [WarmObject], before: &[WarmObject], seconds: f32) {
    if !(0.1..=LONGEST).contains(&seconds) {
        return;
    }
    // Each former object belongs to the present one it is nearest to, and the reverse: in a
    // crowd nothing is said.
    let nearest = |object: &WarmObject, others: &[WarmObject]| {
        let near = others
            .iter()
            .enumerate()
            .filter(|(_, other)| alike(object, other, seconds))
            .map(|(i, other)| (way(object, other).abs(), i))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        near.map(|(_, i)| i)
    };
    for i in 0..now.len() {
        let Some(j) = nearest(&now[i], before) else {
            continue;
        };
        if nearest(&before[j], now) == Some(i) {
            now[i].motion = Some(motion(&now[i], &before[j], seconds));
        }
    }
}

fn middle(object: &WarmObject) -> f32 {
    (object.bounds[0] + object.bounds[2]) / 2.0
}

fn height(object: &WarmObject) -> f32 {
    object.bounds[3] - object.bounds[1]
}

/// From `before` to `now`, in widths of the picture.
fn way(now: &WarmObject, before: &WarmObject) -> f32 {
    middle(now) - middle(before)
}

/// The same height within a factor, feet near to where they were, not too far away.
fn alike(a: &WarmObject, b: &WarmObject, seconds: f32) -> bool {
    let ratio = height(a) / height(b).max(1e-3);
    let reach = (0.12 * seconds).clamp(0.05, 0.3);
    (0.6..1.7).contains(&ratio)
        && way(a, b).abs() < reach
        && (a.bounds[3] - b.bounds[3]).abs() < 0.5 * height(a).max(height(b)) + 0.02
        && a.hot == b.hot
}

fn motion(now: &WarmObject, before: &WarmObject, seconds: f32) -> Motion {
    let speed = way(now, before) / seconds;
    // By height: a stride makes a walker wider and narrower.
    let taller = height(now) - height(before);
    let growth = (height(now) / height(before).max(1e-3)).ln() / seconds;
    let grows = growth.abs() > GROWTH && taller.abs() > CELLS_OFF;
    let moves = speed.abs() > SLOW;
    match (grows, moves) {
        // Feet that come nearer also move aside: the larger of the two is what a viewer sees.
        (true, moves) if !moves || growth.abs() * 0.25 > speed.abs() => {
            if growth > 0.0 {
                Motion::Approaching
            } else {
                Motion::Receding
            }
        }
        (_, true) if speed > 0.0 => Motion::Right,
        (_, true) => Motion::Left,
        _ => Motion::Still,
    }
}

#[cfg(test)]
mod tests {
    use super::super::warm::{Distance, Shape};
    use super::super::words::Place;
    use super::*;

    fn object(left: f32, top: f32, width: f32, height: f32) -> WarmObject {
        WarmObject {
            bounds: [left, top, left + width, top + height],
            shape: Shape::Upright,
            place: Place::Left,
            distance: Distance::Middle,
            celsius: None,
            hot: false,
            apart: true,
            in_visible: true,
            motion: None,
            confidence: 1.0,
        }
    }

    fn motions(before: &[WarmObject], now: &[WarmObject]) -> Vec<Option<Motion>> {
        let mut now = now.to_vec();
        follow(&mut now, before, 1.0);
        now.iter().map(|o| o.motion).collect()
    }

    #[test]
    fn objects_go_left_right_near_and_far_or_stand() {
        let before = [
            object(0.1, 0.4, 0.05, 0.2),
            object(0.4, 0.4, 0.05, 0.2),
            object(0.8, 0.4, 0.05, 0.2),
        ];
        let now = [
            object(0.14, 0.4, 0.05, 0.2),
            object(0.4, 0.4, 0.05, 0.2),
            object(0.79, 0.38, 0.07, 0.28),
        ];
        let all = [Motion::Right, Motion::Still, Motion::Approaching];
        assert_eq!(motions(&before, &now), all.map(Some));
        let back = [Motion::Left, Motion::Still, Motion::Receding];
        assert_eq!(motions(&now, &before), back.map(Some));
    }

    #[test]
    fn what_was_not_there_has_no_motion() {
        let before = [object(0.1, 0.4, 0.05, 0.2)];
        assert_eq!(motions(&[], &before), [None]);
        assert_eq!(motions(&before, &[object(0.6, 0.4, 0.05, 0.2)]), [None]);
        assert_eq!(motions(&before, &[object(0.1, 0.4, 0.3, 0.6)]), [None]);
        let mut now = before.to_vec();
        follow(&mut now, &before, 60.0);
        assert_eq!(now[0].motion, None);
    }

    #[test]
    fn in_a_crowd_one_former_object_has_one_follower() {
        let before = [object(0.1, 0.4, 0.05, 0.2)];
        let now = [object(0.12, 0.4, 0.05, 0.2), object(0.14, 0.4, 0.05, 0.2)];
        assert_eq!(motions(&before, &now), [Some(Motion::Right), None]);
    }
}
