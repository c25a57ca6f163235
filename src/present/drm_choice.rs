//! Which connector, mode and CRTC of a card are used, and what its errors mean to a user.
//!
//! Input: plain facts about a card. Output: choices and sentences. Thread: any. Blocks: never,
//! but for [`other_cards`], which lists a folder. Allocates: messages. Fails when: never; no
//! choice is `None`. Not its job: system calls (see `drm`).

use std::io::{Error, ErrorKind};
use std::path::Path;

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
/// tell; `None` where there is none. `connectors` are (state, number of modes).
pub fn choose_connector(connectors: &[(Link, usize)]) -> Option<usize> {
    let first = |link| {
        connectors
            .iter()
            .position(|&(found, modes)| found == link && modes > 0)
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

/// The mode to use: the display's preferred one; where it has none, the largest, at its highest
/// rate, of those that are not interlaced. Its first one where modes are equal.
pub fn choose_mode(modes: &[ModeFacts]) -> Option<usize> {
    let rank = |mode: &ModeFacts| {
        let area = u32::from(mode.size.0) * u32::from(mode.size.1);
        (!mode.interlaced, mode.preferred, area, mode.refresh)
    };
    // `max_by_key` gives the last of equals.
    let best = modes.iter().enumerate().rev().max_by_key(|(_, m)| rank(m));
    best.map(|(index, _)| index)
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

/// "; found: ..." with the cards of this machine, or that there are none.
fn other_cards() -> String {
    let entries = std::fs::read_dir("/dev/dri").into_iter().flatten();
    let mut cards: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("card"))
        .map(|name| format!("/dev/dri/{name}"))
        .collect();
    cards.sort();
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

    #[test]
    fn the_preferred_mode_wins_over_a_larger_one() {
        let preferred = ModeFacts {
            preferred: true,
            ..mode(800, 480, 60)
        };
        assert_eq!(choose_mode(&[mode(1920, 1080, 60), preferred]), Some(1));
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
        assert_eq!(choose_mode(&modes), Some(3));
        assert_eq!(choose_mode(&[interlaced]), Some(0));
        assert_eq!(choose_mode(&[]), None);
    }

    #[test]
    fn a_connected_display_wins_over_one_unknown() {
        use Link::{Connected, Disconnected, Unknown};
        assert_eq!(choose_connector(&[(Unknown, 1), (Connected, 3)]), Some(1));
        assert_eq!(choose_connector(&[(Connected, 0), (Unknown, 1)]), Some(1));
        assert_eq!(choose_connector(&[(Disconnected, 2)]), None);
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
