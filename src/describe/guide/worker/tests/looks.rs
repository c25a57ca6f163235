//! What is seen between descriptions, and when none is asked for.

use super::*;

/// A pair whose visible picture is dark or bright.
fn lit(light: u8) -> AlignedPair {
    let mut pair = pair();
    pair.visible.data_mut().fill(light);
    pair
}

fn with(straw: &Straw, change: impl FnOnce(&mut DescribeConfig)) -> GuideWorker {
    let mut config = DescribeConfig::default();
    change(&mut config);
    let watch = Arc::new(Watch::new((*neutral()).clone()));
    let describer = Box::new(straw.clone());
    GuideWorker::new(
        GuideSettings::from(&config),
        neutral(),
        Ok(describer),
        watch,
    )
}

#[test]
fn changes_and_texts_are_logged_also_while_a_user_guides() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.jsonl");
    let straw = Straw::default();
    let mut worker = with(&straw, |config| config.events = Some(path.clone()));
    let mut second = 0.0;
    let mut show = |worker: &mut GuideWorker, light: u8, seconds: u32| {
        for _ in 0..seconds {
            assert!(worker.wants_pair(at(second)), "at {second}");
            worker.step(Some(&lit(light)), at(second));
            second += 1.0;
        }
    };
    show(&mut worker, 20, 4);
    show(&mut worker, 220, 4);
    worker.set_user_text(Some(UserText::read("Show more texture.")), at(8.0));
    show(&mut worker, 20, 14);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let of = |event: &str| -> Vec<&str> {
        let same = lines.iter().filter(|l| l["event"] == event);
        same.map(|l| l["text"].as_str().unwrap()).collect()
    };
    assert_eq!(
        of("light"),
        [
            "the light changed from dark to bright",
            "the light changed from bright to dark"
        ]
    );
    assert_eq!(of("text").last(), Some(&"Show more texture."));
    let texts: Vec<&str> = of("text");
    assert!(texts.windows(2).all(|t| t[0] != t[1]), "{texts:?}");
    assert!(
        lines
            .windows(2)
            .all(|l| l[0]["boot_s"].as_f64() <= l[1]["boot_s"].as_f64())
    );
}

#[test]
fn a_log_that_cannot_be_written_is_told_and_nothing_else_suffers() {
    let straw = Straw::default();
    let mut worker = with(&straw, |config| {
        config.events = Some("/no/such/folder/e.jsonl".into());
    });
    worker.step(Some(&pair()), at(0.0));
    let status = worker.status(at(0.1));
    assert!(status.note.unwrap().contains("/no/such/folder"));
    assert_eq!((status.ok, status.failed), (1, 0));
}

#[test]
fn the_text_says_what_changed_where_that_is_asked_for() {
    for (say, questions) in [(true, false), (true, true), (false, false)] {
        let straw = Straw::default();
        let mut worker = with(&straw, |config| {
            config.say_changes = say;
            config.interval_s = 1.0;
            if questions {
                config.style = TextStyle::Questions;
            }
        });
        for second in 0..12 {
            let light = if second < 6 { 20 } else { 220 };
            worker.step(Some(&lit(light)), at(f64::from(second) * 2.0));
        }
        let changed = "In the last 10 seconds the light changed from dark to bright.";
        let told = straw.asked().iter().any(|prompt| match prompt {
            Prompt::Facts(sentences) => sentences.iter().any(|s| s == changed),
            Prompt::Answers { answers, .. } => {
                assert!(answers.last().unwrap().is_advice());
                answers.iter().any(|a| a.sentences == [changed])
            }
            Prompt::Text(_) => false,
        });
        assert_eq!(told, say);
    }
}

#[test]
fn a_hot_board_is_not_asked_to_describe_but_follows_its_user() {
    let folder = tempfile::tempdir().unwrap();
    let zone = folder.path().join("temp");
    let straw = Straw::default();
    let mut worker = with(&straw, |config| {
        config.thermal_zone = Some(zone.clone());
        config.pause_above_c = 70.0;
    });
    std::fs::write(&zone, "71000\n").unwrap();
    for second in 0..5 {
        worker.step(Some(&pair()), at(f64::from(second)));
    }
    assert_eq!(straw.asked(), []);
    assert!(!worker.wants_pair(at(5.0)));
    let paused = worker.status(at(5.0)).paused.unwrap();
    assert!(paused.contains("71 degrees"), "{paused}");
    worker.set_user_text(Some(UserText::read("Show more texture.")), at(5.0));
    worker.step(Some(&pair()), at(5.0));
    assert_eq!(straw.asked().len(), 1);
    worker.set_user_text(None, at(5.5));
    std::fs::write(&zone, "64000\n").unwrap();
    worker.step(Some(&pair()), at(6.5));
    assert_eq!(straw.asked().len(), 1);
    assert_eq!(worker.status(at(7.0)).paused, None);
}

#[test]
fn describing_that_costs_frames_rests_for_longer_and_longer() {
    for (pause, expected) in [(true, 4), (false, 13)] {
        let straw = Straw::default();
        let mut worker = with(&straw, |config| config.pause_when_late = pause);
        // Every description loses half of its pairs; nothing is lost in between.
        let state = Arc::new(Mutex::new((FrameCount::default(), false)));
        let shared = Arc::clone(&state);
        worker.watch_frames(move || {
            let mut state = shared.lock().unwrap();
            let (count, busy) = &mut *state;
            count.pairs += 100;
            count.missed += if *busy { 50 } else { 0 };
            *busy = !*busy;
            *count
        });
        worker.step(Some(&pair()), at(0.0));
        straw.asked();
        for tick in 0..400 {
            worker.step(Some(&pair()), at(f64::from(tick) * 0.1));
        }
        let asked = straw.asked().len();
        assert!(asked.abs_diff(expected) <= 1, "{asked} for {expected}");
        assert_eq!(worker.status(at(40.0)).paused.is_some(), pause);
    }
}

#[test]
fn a_clock_that_jumps_ahead_ends_old_guidance_and_the_next_one_follows_at_once() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    worker.step(Some(&pair()), at(0.0));
    worker.step(Some(&pair()), at(0.1));
    assert_eq!(watch.get().origin, Origin::Llm);
    let day = 86_400.0;
    worker.step(None, at(day));
    assert_eq!(watch.get().origin, Origin::Neutral);
    assert!(worker.wants_pair(at(day)));
    worker.step(Some(&pair()), at(day + 0.1));
    worker.step(Some(&pair()), at(day + 0.2));
    assert_eq!(watch.get().origin, Origin::Llm);
    assert_eq!(worker.status(at(day + 1.0)).failed, 0);
}

#[test]
fn a_model_that_sees_is_shown_what_has_a_weight() {
    let straw = Straw::default();
    let (mut worker, _) = worker(&straw);
    worker.settings.views = Some(ViewWeights {
        fused: 0.5,
        ..ViewWeights::default()
    });
    worker.see(Some(&Picture::grey(Size::new(64, 48))));
    worker.describe(&pair(), at(0.0));
    worker.describe(&pair(), at(0.1));
    assert_eq!(straw.0.lock().unwrap().views[0].kind, ViewKind::Fused);
}

#[test]
fn a_detector_that_cannot_be_used_is_told_and_the_text_goes_on() {
    let straw = Straw::default();
    let mut worker = with(&straw, |config| {
        config.detector = Some(DetectorConfig::of("/nowhere/detector.onnx".into()));
    });
    worker.step(Some(&pair()), at(0.0));
    assert_eq!(worker.status(at(0.0)).origin, Origin::Template);
    let note = worker.status(at(0.0)).note.unwrap();
    assert!(note.contains("/nowhere/detector.onnx"), "{note}");
}
