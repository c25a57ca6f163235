//! What may be asked of a fusion, curated: only what was measured is asked for.
//!
//! Input: the task and fact sentences. Output: steps, each with its wordings. Not its job: choosing among
//! the wordings; the template takes the first, the language model any.

use crate::config::Task;

/// One thing to do; wordings that mean the same, the plainest first. Never empty.
pub(super) type Step = &'static [&'static str];

const NOISE: Step = &["suppress the noise", "reduce the noise"];

/// At most three steps, at least one. Thermal nouns are only ever highlighted, visible nouns
/// only kept, and only noise, glare and haze suppressed: a model left free asks for the opposite.
pub(super) fn steps(task: Task, sentences: &[String]) -> Vec<Step> {
    let says = |word: &str| sentences.iter().any(|s| s.contains(word));
    match task {
        Task::Ivf => of_scene(sentences),
        Task::Mif => {
            // With the space: SPECT ends in CT, too.
            let strong: Step = if says(" CT image") {
                &["keep the bone", "preserve the bone", "highlight the bone"]
            } else {
                &[
                    "keep the activity",
                    "highlight the activity",
                    "preserve the brightness of the activity",
                ]
            };
            vec![
                strong,
                &[
                    "keep the structure of the soft tissue",
                    "preserve the structure of the soft tissue",
                ],
            ]
        }
        Task::Mef => vec![
            &[
                "keep the details of both",
                "combine the details of both",
                "preserve the details of both",
            ],
            &["stay well exposed", "stay balanced", "stay natural"],
        ],
        Task::Mff => vec![&[
            "keep the sharp parts of both",
            "preserve the sharp parts of both",
            "keep the sharpness of both",
        ]],
    }
}

/// Of infrared and visible.
fn of_scene(sentences: &[String]) -> Vec<Step> {
    let says = |word: &str| sentences.iter().any(|s| s.contains(word));
    let of_visible = |s: &&String| s.starts_with("The visible image ");
    let blurred = sentences
        .iter()
        .filter(of_visible)
        .any(|s| s.contains("blurred"));
    let warm = (says(" warm ") || says(" hot ")) && !says("no warm ");
    let mut steps: Vec<Step> = Vec::new();
    if says(" warm areas") && !says(" object") {
        steps.push(&[
            "highlight the warm areas",
            "preserve the warm areas",
            "bring out the warm areas",
        ]);
    } else if warm {
        steps.push(&[
            "highlight the warm objects",
            "preserve the warm objects",
            "bring out the warm objects",
        ]);
    }
    // Stripes are noise, too: fixed-pattern noise.
    let strongly = [
        "has strong noise",
        "has strong vertical",
        "has strong horizontal",
    ];
    let noisy = says(" noisy") || says(" noise") || says(" stripes");
    if strongly.into_iter().any(&says) {
        steps.push(NOISE);
    } else if says("glare") {
        steps.push(&["suppress the glare", "reduce the glare"]);
    } else if says("haze") {
        steps.push(&["suppress the haze", "reduce the haze"]);
    } else if noisy {
        steps.push(NOISE);
    }
    steps.push(if says("visible image is missing") {
        &["keep the contrast", "preserve the contrast"]
    } else if blurred {
        &["restore the visible details", "sharpen the visible texture"]
    } else {
        &[
            "keep the visible texture",
            "preserve the visible details",
            "keep the visible details",
        ]
    });
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<Step> {
        steps(Task::Ivf, &[text.to_owned()])
    }

    #[test]
    fn nothing_is_asked_for_that_was_not_measured() {
        let cold = of("The infrared image shows no warm objects.");
        assert_eq!(cold.len(), 1);
        assert!(cold[0].iter().all(|w| !w.contains("warm")));
        let warm = of("The infrared image shows one warm object on the left.");
        assert!(warm[0].iter().all(|w| w.contains("warm objects")));
        let glare = of("The visible image is dark and has glare on the left.");
        assert!(glare[0].iter().all(|w| w.contains("glare")));
    }

    #[test]
    fn noise_and_stripes_are_suppressed_and_strong_ones_before_glare() {
        let first = |text: &str| of(text)[0][0];
        for fault in [
            "is slightly noisy",
            "is noisy",
            "has strong noise",
            "has vertical stripes",
            "has strong vertical stripes and has slight shading",
            "has slight horizontal stripes",
        ] {
            let said = format!("The infrared image shows no warm objects and {fault}.");
            assert_eq!(first(&said), "suppress the noise", "{fault}");
        }
        let glare = "The visible image is dark and has glare on the left";
        assert_eq!(
            first(&format!("{glare} and is noisy.")),
            "suppress the glare"
        );
        assert_eq!(
            first(&format!("{glare} and has strong noise.")),
            "suppress the noise"
        );
    }

    #[test]
    fn details_of_a_blurred_picture_are_restored() {
        let blurred = of("The visible image is dim and is strongly blurred.");
        assert_eq!(blurred[0][0], "restore the visible details");
    }

    #[test]
    fn bone_is_asked_for_of_ct_and_activity_of_the_others() {
        for (name, noun) in [
            ("CT", "bone"),
            ("PET", "activity"),
            ("SPECT", "activity"),
            ("functional", "activity"),
        ] {
            let facts = [format!("The {name} image shows something on the left.")];
            let wordings = steps(Task::Mif, &facts)[0];
            assert!(
                wordings.iter().all(|w| w.contains(noun)),
                "{name}: {wordings:?}"
            );
        }
    }

    #[test]
    fn every_task_has_one_to_three_steps_with_wordings() {
        for task in Task::ALL {
            let steps = steps(task, &[]);
            assert!((1..=3).contains(&steps.len()));
            assert!(steps.iter().all(|s| !s.is_empty()));
        }
    }
}
