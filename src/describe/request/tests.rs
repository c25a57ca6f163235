//! Texts and what they ask for.

use super::RequestKind::{
    Animals, Blur, Edges, Glare, Haze, InfraredContrast, Light, Noise, NoiseInInfrared,
    NoiseInVisible, OverExposure, People, Texture, WarmObjects,
};
use super::*;
use proptest::prelude::*;

fn kinds(text: &str) -> Vec<RequestKind> {
    understand(text).requests.iter().map(|r| r.kind).collect()
}

#[test]
fn plain_requests_are_understood() {
    let cases: &[(&str, &[RequestKind])] = &[
        ("Brighten the picture.", &[Light]),
        ("It is too dark to see anything.", &[Light]),
        ("Enhance the dark regions.", &[Light]),
        ("Do not let the glare dazzle me.", &[Glare]),
        ("without glare", &[Glare]),
        ("See through the smoke.", &[Haze]),
        ("less haze", &[Haze]),
        ("no noise please", &[Noise]),
        (
            "The infrared image is noisy and full of vertical stripes. Remove the noise.",
            &[NoiseInInfrared],
        ),
        ("Reduce the grain of the visible image.", &[NoiseInVisible]),
        ("The visible image is blurred. Sharpen it.", &[Blur]),
        ("Bring out the people.", &[People]),
        ("Is anybody out there?", &[People]),
        ("Make people and animals stand out.", &[People, Animals]),
        ("Find the dog.", &[Animals]),
        ("Show me hot things.", &[WarmObjects]),
        ("Show more texture.", &[Texture]),
        ("Sharpen the edges.", &[Edges]),
        ("Too much light.", &[OverExposure]),
        ("The infrared image has low contrast.", &[InfraredContrast]),
        ("Show the people, but keep it dark.", &[People]),
        (
            "Brighten the dark road and bring out the people on the right.",
            &[Light, People],
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(&kinds(text), wanted, "{text}");
    }
}

#[test]
fn opposites_are_requests_for_nothing() {
    for text in [
        "Keep it dark.",
        "Keep the night look.",
        "Do not brighten the picture.",
        "Make it darker.",
        "No people.",
        "Do not show people.",
        "Hide the persons.",
        "Nobody should be seen.",
        "Do not change anything.",
        "Leave everything unchanged.",
        "Keep the haze.",
        "Do not remove the fog.",
        "Add some grain.",
    ] {
        let found = understand(text);
        assert_eq!((found.requests.len(), found.is_open), (0, false), "{text}");
        assert_eq!(found.reason, Some(Reason::Leave), "{text}");
    }
}

#[test]
fn what_is_no_request_is_not_understood() {
    for text in [
        "Hello",
        "7",
        "red",
        "dark",
        "night",
        "https://example.com/a?b=c",
        "SELECT * FROM people WHERE light > 3;",
        "Bonjour tout le monde.",
        "Bitte das Bild aufhellen.",
        "\u{4f60}\u{597d}",
        "My name is Anna.",
        "People who live in glass houses should not throw stones.",
        "The people left. It was late. We went home to sleep.",
    ] {
        assert_eq!(
            understand(text).reason,
            Some(Reason::NotUnderstood),
            "{text}"
        );
    }
    assert_eq!(understand(" \n").reason, Some(Reason::Empty));
    assert_eq!(
        understand(&"people ".repeat(81)).reason,
        Some(Reason::TooLong)
    );
}

#[test]
fn degree_and_place_are_read() {
    let of = |text: &str| {
        let found = understand(text).requests;
        found.first().map(|r| (r.degree, r.place))
    };
    let cases = [
        ("Bring out the people a bit.", (Degree::Slightly, None)),
        (
            "Bring out the people somewhat on the left.",
            (Degree::Slightly, Some(Place::Left)),
        ),
        (
            "Highlight the warm objects very much.",
            (Degree::Strongly, None),
        ),
        (
            "Clearly show the people in the middle.",
            (Degree::Strongly, Some(Place::Centre)),
        ),
        (
            "Show the people on the right now.",
            (Degree::Plain, Some(Place::Right)),
        ),
    ];
    for (text, wanted) in cases {
        assert_eq!(of(text), Some(wanted), "{text}");
    }
}

#[test]
fn only_open_texts_are_decided_by_what_is_nearest() {
    let near = Nearest {
        kind: People,
        cosine: 0.9,
        other: 0.2,
    };
    let decided = |text: &str, near: &Nearest| understand(text).or_nearest(text, near).requests;
    assert_eq!(decided("Somebody hides behind that wall.", &near).len(), 1);
    assert!(decided("Do not show people.", &near).is_empty());
    assert!(
        decided(
            "Zeige Menschen nicht ohne Licht!",
            &Nearest {
                cosine: 0.4,
                ..near
            }
        )
        .is_empty()
    );
    assert!(
        decided(
            "Somebody hides behind that wall.",
            &Nearest {
                other: 0.89,
                ..near
            }
        )
        .is_empty()
    );
}

#[test]
fn names_are_those_of_json() {
    for kind in [
        Light,
        NoiseInInfrared,
        InfraredContrast,
        WarmObjects,
        OverExposure,
    ] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        let found = understand(&text);
        prop_assert_eq!(found.requests.is_empty(), found.reason.is_some());
    }

    #[test]
    fn digits_and_marks_ask_for_nothing(text in "[0-9 .,:;!?%&()+/'-]{0,80}") {
        prop_assert!(kinds(&text).is_empty());
    }
}
