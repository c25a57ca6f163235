//! Which connector, mode and CRTC of a card are used, and what its errors mean to a user.
//!
//! Input: plain facts about a card. Output: choices and sentences. Thread: any. Blocks: never, but for
//! [`other_cards`], which lists a folder. Allocates: messages. No choice is `None`. Not its job: system
//! calls (see `drm`).

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::io::Errno;

/// Whether something hangs on a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// A display is there.
    Connected,
    /// None is there.
    Disconnected,
    /// The driver cannot tell, as with some panels that are soldered on.
    Unknown,
}

/// The connector to use: the first one connected that has modes, else the first one that cannot
/// tell; `None` where there is none. `connectors` are (state, number of modes, name); only the one of the `wanted`
/// name counts where there is one.
pub fn choose_connector(
    connectors: &[(Link, usize, String)],
    wanted: Option<&str>,
) -> Option<usize> {
    let first = |link| {
        connectors.iter().position(|(found, modes, name)| {
            *found == link && *modes > 0 && wanted.is_none_or(|wanted| wanted == name)
        })
    };
    first(Link::Connected).or_else(|| first(Link::Unknown))
}

/// What a choice of mode looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModeFacts {
    /// Pixels in a row, rows.
    pub size: (u16, u16),
    /// Pictures a second.
    pub refresh: u32,
    /// The display's own choice: its native size.
    pub preferred: bool,
    /// Half pictures.
    pub interlaced: bool,
}

impl ModeFacts {
    fn area(&self) -> u32 {
        u32::from(self.size.0) * u32::from(self.size.1)
    }
}

/// The mode to use, of those that are not interlaced where there is one: `wanted`, or the smallest of the aspect of
/// the display's native size that holds a picture of `holds` pixels, since each pixel of a mode is written for each
/// frame; else the native one. At its highest rate; the first one where modes are equal. `None`: there is none, or
/// none of the wanted size.
pub fn choose_mode(
    modes: &[ModeFacts],
    wanted: Option<(u16, u16)>,
    holds: (usize, usize),
) -> Option<usize> {
    let progressive = modes.iter().any(|mode| !mode.interlaced);
    let usable = |mode: &&ModeFacts| !(progressive && mode.interlaced);
    let native = modes
        .iter()
        .filter(usable)
        .max_by_key(|m| (m.preferred, m.area()))?
        .size;
    let has_aspect = |mode: &ModeFacts| {
        let [a, b] = [mode.size, native].map(|(w, h)| f32::from(w) / f32::from(h.max(1)));
        (a / b - 1.0).abs() < 0.02
    };
    let large =
        |m: &ModeFacts| usize::from(m.size.0) >= holds.0 && usize::from(m.size.1) >= holds.1;
    let smallest = modes
        .iter()
        .filter(usable)
        .filter(|m| has_aspect(m) && large(m));
    let smallest = smallest.min_by_key(|m| m.area()).map(|m| m.size);
    let size = wanted.or(smallest).unwrap_or(native);
    let fitting = modes
        .iter()
        .enumerate()
        .filter(|(_, m)| usable(m) && m.size == size);
    // `max_by_key` gives the last of equals.
    fitting
        .rev()
        .max_by_key(|(_, m)| (m.preferred, m.refresh))
        .map(|(index, _)| index)
}

/// The CRTC to use: the one that drives the connector already (no other display goes dark),
/// else the first possible one.
pub fn choose_crtc<T: Copy + PartialEq>(current: Option<T>, possible: &[T]) -> Option<T> {
    current
        .filter(|crtc| possible.contains(crtc))
        .or_else(|| possible.first().copied())
}

/// What can be done about a card that does not open.
pub fn explain_open(card: &Path, error: &Error) -> String {
    let name = card.display();
    match error.kind() {
        ErrorKind::NotFound => format!(
            "{name}: there is no such display card{}; set [present] card to one, or screen to \
             \"headless\"",
            other_cards()
        ),
        ErrorKind::PermissionDenied => format!(
            "{name}: no permission; add filmd's user to the group that owns it (video or \
             render), under systemd by SupplementaryGroups=video"
        ),
        _ => format!("{name}: cannot open it: {error}"),
    }
}

/// What can be done where the card is open but something is refused while `doing` so.
pub fn explain(card: &Path, doing: &str, error: &Error) -> String {
    let name = card.display();
    match Errno::from_io_error(error) {
        // SET_MASTER says EBUSY where another program is master, EACCES where it also needs
        // privileges to take over; all others say EACCES to who is not master.
        Some(Errno::BUSY | Errno::ACCESS | Errno::PERM) => format!(
            "{name}: another program holds the display ({doing}: {error}); stop the desktop or \
             compositor, or set [present] screen to \"window\""
        ),
        Some(Errno::NOTTY | Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => format!(
            "{name}: it drives no display ({doing}: {error}): a GPU without outputs, or no DRM \
             device{}; set [present] card to another one",
            other_cards()
        ),
        Some(Errno::NODEV | Errno::NXIO) => {
            format!("{name}: the display card is gone ({doing}: {error}); plug it in again")
        }
        _ => format!("{name}: {doing}: {error}"),
    }
}

/// The display cards of this machine, by number.
pub fn cards() -> Vec<PathBuf> {
    let entries = std::fs::read_dir("/dev/dri").into_iter().flatten();
    let mut cards: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("card"))
        .collect();
    // card10 after card9.
    cards.sort_by_key(|name| (name.len(), name.clone()));
    cards
        .iter()
        .map(|name| Path::new("/dev/dri").join(name))
        .collect()
}

/// "; found: ..." with the cards of this machine, or that there are none.
fn other_cards() -> String {
    let cards: Vec<String> = cards()
        .iter()
        .map(|card| card.display().to_string())
        .collect();
    if cards.is_empty() {
        "; this machine has none".to_owned()
    } else {
        format!("; found: {}", cards.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(width: u16, height: u16, refresh: u32) -> ModeFacts {
        ModeFacts {
            size: (width, height),
            refresh,
            preferred: false,
            interlaced: false,
        }
    }

    fn preferred(width: u16, height: u16) -> ModeFacts {
        ModeFacts {
            preferred: true,
            ..mode(width, height, 60)
        }
    }

    #[test]
    fn the_smallest_mode_of_the_native_aspect_that_holds_the_picture() {
        let modes = [
            preferred(3840, 2160),
            mode(1920, 1080, 60),
            mode(1280, 720, 50),
            mode(1280, 720, 60),
            mode(640, 480, 60),
            mode(640, 360, 60),
        ];
        assert_eq!(choose_mode(&modes, None, (640, 480)), Some(3));
        assert_eq!(choose_mode(&modes, None, (1280, 960)), Some(1));
        assert_eq!(choose_mode(&modes, None, (4000, 3000)), Some(0));
        assert_eq!(choose_mode(&modes, Some((640, 480)), (1, 1)), Some(4));
        assert_eq!(choose_mode(&modes, Some((800, 600)), (1, 1)), None);
    }

    #[test]
    fn the_preferred_mode_wins_over_a_larger_one() {
        let modes = [mode(1920, 1080, 60), preferred(800, 480)];
        assert_eq!(choose_mode(&modes, None, (640, 480)), Some(1));
    }

    #[test]
    fn without_a_preferred_mode_the_largest_progressive_fastest_first_one() {
        let interlaced = ModeFacts {
            interlaced: true,
            ..mode(1920, 1080, 60)
        };
        let modes = [
            mode(640, 480, 75),
            interlaced,
            mode(1280, 720, 50),
            mode(1280, 720, 60),
            mode(1280, 720, 60),
        ];
        assert_eq!(choose_mode(&modes, None, (1000, 700)), Some(3));
        assert_eq!(choose_mode(&[interlaced], None, (640, 480)), Some(0));
        assert_eq!(choose_mode(&[], None, (640, 480)), None);
    }

    #[test]
    fn a_connected_display_wins_over_one_unknown() {
        use Link::{Connected, Disconnected, Unknown};
        let choose = |connectors: &[(Link, usize)], wanted| {
            let named = connectors.iter().enumerate();
            let named: Vec<_> = named
                .map(|(n, (link, modes))| (*link, *modes, format!("HDMI-A-{n}")))
                .collect();
            choose_connector(&named, wanted)
        };
        assert_eq!(choose(&[(Unknown, 1), (Connected, 3)], None), Some(1));
        assert_eq!(choose(&[(Connected, 0), (Unknown, 1)], None), Some(1));
        assert_eq!(choose(&[(Disconnected, 2)], None), None);
        let two = [(Connected, 1), (Connected, 1)];
        assert_eq!(choose(&two, Some("HDMI-A-1")), Some(1));
        assert_eq!(choose(&two, Some("DSI-1")), None);
    }

    #[test]
    fn the_crtc_in_use_is_kept_where_it_is_possible() {
        assert_eq!(choose_crtc(Some(2), &[1, 2]), Some(2));
        assert_eq!(choose_crtc(Some(3), &[1, 2]), Some(1));
        assert_eq!(choose_crtc(None::<u8>, &[]), None);
    }

    #[test]
    fn errors_say_what_to_do() {
        let card = Path::new("/dev/dri/card7");
        let of = |errno: Errno| Error::from(errno);
        for (message, wanted) in [
            (
                explain_open(card, &of(Errno::NOENT)),
                "no such display card",
            ),
            (explain_open(card, &of(Errno::ACCESS)), "group"),
            (explain_open(card, &of(Errno::MFILE)), "cannot open"),
            (
                explain(card, "becoming master", &of(Errno::BUSY)),
                "compositor",
            ),
            (
                explain(card, "listing outputs", &of(Errno::OPNOTSUPP)),
                "another one",
            ),
            (
                explain(card, "showing a frame", &of(Errno::NODEV)),
                "is gone",
            ),
            (
                explain(card, "showing a frame", &of(Errno::NOMEM)),
                "showing a frame",
            ),
        ] {
            assert!(message.starts_with("/dev/dri/card7: "), "{message}");
            assert!(message.contains(wanted), "{message}");
        }
    }
}
