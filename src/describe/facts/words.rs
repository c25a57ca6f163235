//! Places and numbers in words.

use serde::Serialize;

/// Where in a picture, as the viewer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Left third.
    Left,
    /// Middle third, either way.
    Centre,
    /// Right third.
    Right,
    /// Upper third.
    Top,
    /// Lower third.
    Bottom,
}

impl Place {
    /// The vertical third that holds `x` of `width`.
    pub(super) fn column(x: f32, width: usize) -> Self {
        match x * 3.0 / width as f32 {
            third if third < 1.0 => Self::Left,
            third if third < 2.0 => Self::Centre,
            _ => Self::Right,
        }
    }

    /// With its preposition: "on the left".
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::Left => "on the left",
            Self::Centre => "in the centre",
            Self::Right => "on the right",
            Self::Top => "at the top",
            Self::Bottom => "at the bottom",
        }
    }
}

/// "one" ... "five", then "several".
pub(super) const fn count(n: usize) -> &'static str {
    match n {
        0 => "no",
        1 => "one",
        2 => "two",
        3 => "three",
        4 => "four",
        5 => "five",
        _ => "several",
    }
}

/// "a", "a and b", "a, b and c".
pub(super) fn list<S: AsRef<str>>(items: &[S]) -> String {
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push_str(if i + 1 == items.len() { " and " } else { ", " });
        }
        text.push_str(item.as_ref());
    }
    text
}

/// "on the left and in the centre"; "everywhere" for all three columns or rows, and where
/// nothing is told apart.
pub(super) fn places(places: &[Place]) -> String {
    if places.is_empty() || places.len() >= 3 {
        return "everywhere".to_owned();
    }
    list(&places.iter().map(|p| p.phrase()).collect::<Vec<_>>())
}

/// The columns, the rows or the centre that best stand for a mask of 3x3 parts; empty where
/// the mask is.
pub(super) fn regions(mask: [[bool; 3]; 3]) -> Vec<Place> {
    if mask == [[false; 3]; 3] {
        return Vec::new();
    }
    let column = |c: usize| (0..3).filter(|&r| mask[r][c]).count() >= 2;
    let row = |r: usize| (0..3).filter(|&c| mask[r][c]).count() >= 2;
    let columns = [column(0), column(1), column(2)];
    let rows = [row(0), row(1), row(2)];
    let misses = |predict: &dyn Fn(usize, usize) -> bool| {
        (0..9)
            .filter(|&i| mask[i / 3][i % 3] != predict(i / 3, i % 3))
            .count()
    };
    let chosen = |flags: [bool; 3], names: [Place; 3]| -> Vec<Place> {
        flags
            .into_iter()
            .zip(names)
            .filter_map(|(on, name)| on.then_some(name))
            .collect()
    };
    let options = [
        (
            misses(&|_, c| columns[c]),
            chosen(columns, [Place::Left, Place::Centre, Place::Right]),
        ),
        (
            misses(&|r, _| rows[r]),
            chosen(rows, [Place::Top, Place::Centre, Place::Bottom]),
        ),
        (misses(&|r, c| r == 1 && c == 1), vec![Place::Centre]),
    ];
    let best = options
        .into_iter()
        .filter(|(_, places)| !places.is_empty())
        .min_by_key(|(misses, _)| *misses);
    // Only scattered corners are set: name the columns they lie in.
    best.map_or_else(
        || {
            let any = [0, 1, 2].map(|c| (0..3).any(|r| mask[r][c]));
            chosen(any, [Place::Left, Place::Centre, Place::Right])
        },
        |(_, places)| places,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const O: bool = false;
    const X: bool = true;

    #[test]
    fn lists_read_like_english() {
        assert_eq!(list::<&str>(&[]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn a_mask_is_named_by_what_explains_it() {
        assert_eq!(regions([[X, O, O]; 3]), [Place::Left]);
        assert_eq!(regions([[X, X, X], [O; 3], [O; 3]]), [Place::Top]);
        assert_eq!(regions([[O; 3], [O, X, O], [O; 3]]), [Place::Centre]);
        assert_eq!(regions([[O, X, X]; 3]), [Place::Centre, Place::Right]);
        assert_eq!(regions([[O; 3]; 3]), []);
        assert_eq!(regions([[X; 3]; 3]).len(), 3);
    }

    #[test]
    fn every_mask_but_the_empty_one_has_a_name() {
        for bits in 1u32..512 {
            let mask =
                std::array::from_fn(|r| std::array::from_fn(|c| bits >> (r * 3 + c) & 1 == 1));
            assert!(!regions(mask).is_empty(), "{mask:?}");
        }
    }

    #[test]
    fn columns_are_thirds() {
        assert_eq!(Place::column(0.0, 30), Place::Left);
        assert_eq!(Place::column(15.0, 30), Place::Centre);
        assert_eq!(Place::column(29.5, 30), Place::Right);
    }
}
