//! The worker with a describer of straw and a clock of numbers.

mod looks;

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::config::{DescribeConfig, DetectorConfig, TextStyle};
use crate::describe::process::view::{ViewKind, ViewWeights};
use crate::describe::words::questions::Questions;
use crate::describe::{Place, TokenFeatures};
use crate::frame::Size;

const ROWS: usize = 4;
const DIM: usize = 3;

#[derive(Default)]
struct Script {
    answers: VecDeque<Result<Origin, DescribeError>>,
    asked: Vec<Prompt>,
    views: Vec<View>,
    starts: u64,
    dim: Option<usize>,
}

#[derive(Clone, Default)]
struct Straw(Arc<Mutex<Script>>);

impl Straw {
    fn then(&self, answer: Result<Origin, DescribeError>) {
        self.0.lock().unwrap().answers.push_back(answer);
    }

    fn asked(&self) -> Vec<Prompt> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl Describer for Straw {
    fn describe(&mut self, request: &DescribeRequest) -> Result<Description, DescribeError> {
        let mut script = self.0.lock().unwrap();
        script.asked.push(request.text.clone());
        script.views.clone_from(&request.views);
        let origin = script.answers.pop_front().unwrap_or(Ok(Origin::Llm))?;
        let text = match &request.text {
            Prompt::Facts(sentences) => format!("told: {}", sentences.join(" ")),
            other => other.text(request.task),
        };
        let dim = script.dim.unwrap_or(DIM);
        Ok(Description {
            text,
            origin,
            features: Arc::new(TokenFeatures {
                rows: 1,
                dim,
                values: vec![0.5; dim],
            }),
            segments: Vec::new(),
            took: Duration::from_secs(1),
        })
    }

    fn process(&self) -> Option<(u32, u64)> {
        None
    }

    fn starts(&self) -> u64 {
        self.0.lock().unwrap().starts
    }
}

fn at(seconds: f64) -> Timestamp {
    Timestamp::ZERO.plus(Duration::from_secs_f64(1000.0 + seconds))
}

fn neutral() -> Arc<Guidance> {
    let features = TokenFeatures {
        rows: 1,
        dim: DIM,
        values: vec![0.1; DIM],
    };
    Arc::new(Guidance::new(&features, (ROWS, DIM), "Fuse.", Origin::Neutral, Task::Ivf).unwrap())
}

fn worker(straw: &Straw) -> (GuideWorker, Arc<Watch<Guidance>>) {
    let watch = Arc::new(Watch::new((*neutral()).clone()));
    let settings = GuideSettings {
        enabled: true,
        interval: Duration::from_secs(3),
        time_to_live: Duration::from_secs(30),
        deadline: Duration::from_secs(5),
        ..GuideSettings::from(&DescribeConfig::default())
    };
    let describer = Box::new(straw.clone());
    let worker = GuideWorker::new(settings, neutral(), Ok(describer), Arc::clone(&watch));
    (worker, watch)
}

fn pair() -> AlignedPair {
    let mut pair = AlignedPair::new(Size::new(64, 48));
    (pair.has_infrared, pair.has_visible) = (true, true);
    pair
}

#[test]
fn the_template_comes_first_and_the_model_follows_then_every_interval() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    assert!(worker.wants_pair(at(0.0)));
    worker.step(Some(&pair()), at(0.0));
    assert_eq!(watch.get().origin, Origin::Template);
    worker.step(Some(&pair()), at(0.1));
    assert_eq!(watch.get().origin, Origin::Llm);
    assert!(watch.get().text.starts_with("told: "));
    // What is said of a scene does not reach the network.
    assert_eq!(watch.get().values(), neutral().values());
    assert!(matches!(
        &straw.asked()[..],
        [Prompt::Text(_), Prompt::Facts(_)]
    ));
    assert!(!worker.wants_pair(at(2.0)));
    assert!(worker.wants_pair(at(3.0)), "a look ahead, for motion");
    worker.step(Some(&pair()), at(3.0));
    assert_eq!(straw.asked(), []);
    worker.step(Some(&pair()), at(3.2));
    assert_eq!(straw.asked().len(), 1);
    let status = worker.status(at(5.2));
    assert_eq!((status.ok, status.by_llm, status.failed), (3, 2, 0));
    assert_eq!(status.age_ms, Some(1000));
}

#[test]
fn questions_are_answered_by_the_template_first_and_then_by_the_model() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    worker.settings.questions = Some(Questions::shipped().unwrap());
    worker.step(Some(&pair()), at(0.0));
    worker.step(Some(&pair()), at(0.1));
    let asked = straw.asked();
    let [
        Prompt::Answers {
            answers: first,
            by_llm: false,
        },
        Prompt::Answers {
            answers: second,
            by_llm: true,
        },
    ] = &asked[..]
    else {
        panic!("{asked:?}");
    };
    assert_eq!(first, second);
    assert!(first.len() >= 2, "{first:?}");
    let text = watch.get().text.clone();
    assert!(text.contains("The fused image should "), "{text}");
}

#[test]
fn a_questions_file_that_cannot_be_used_is_told_and_the_shipped_ones_are_asked() {
    let config = DescribeConfig {
        style: TextStyle::Questions,
        questions: Some("/no/such.toml".into()),
        ..DescribeConfig::default()
    };
    let settings = GuideSettings::from(&config);
    assert_eq!(settings.questions, Questions::shipped().ok());
    let watch = Arc::new(Watch::new((*neutral()).clone()));
    let absent = Err(DescribeError::Absent("no encoder".to_owned()));
    let worker = GuideWorker::new(settings, neutral(), absent, watch);
    let note = worker.status(at(0.0)).note.unwrap();
    assert!(note.contains("/no/such.toml"), "{note}");
}

#[test]
fn old_guidance_outlives_a_dead_describer_until_its_time_is_up() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    worker.step(Some(&pair()), at(0.0));
    worker.step(Some(&pair()), at(0.0));
    for _ in 0..100 {
        straw.then(Err(DescribeError::Died("signal: 9".to_owned())));
    }
    let mut now = 4.0;
    while now < 30.9 {
        worker.step(Some(&pair()), at(now));
        assert_eq!(watch.get().origin, Origin::Llm, "at {now}");
        now += 0.5;
    }
    worker.step(Some(&pair()), at(31.1));
    assert_eq!(watch.get().origin, Origin::Neutral);
    let status = worker.status(at(31.1));
    assert!(status.last_error.unwrap().contains("signal: 9"));
    assert!(status.failed > 10);
    assert_eq!(status.age_ms, None);
    straw.0.lock().unwrap().answers.clear();
    worker.step(Some(&pair()), at(32.0));
    assert_eq!(watch.get().origin, Origin::Template);
    assert_eq!(worker.status(at(33.0)).last_error, None);
}

#[test]
fn a_restart_is_asked_at_once() {
    let straw = Straw::default();
    let (mut worker, _) = worker(&straw);
    straw.then(Err(DescribeError::TimedOut(Duration::from_secs(5))));
    worker.step(Some(&pair()), at(0.0));
    straw.asked();
    worker.step(Some(&pair()), at(1.0));
    assert_eq!(straw.asked(), []);
    straw.0.lock().unwrap().starts = 2;
    worker.step(Some(&pair()), at(1.2));
    assert!(matches!(&straw.asked()[..], [Prompt::Text(_)]));
    worker.step(Some(&pair()), at(1.4));
    assert!(matches!(&straw.asked()[..], [Prompt::Facts(_)]));
    assert_eq!(worker.status(at(2.0)).restarts, 1);
    // Also a death that no request met.
    straw.0.lock().unwrap().starts = 3;
    worker.step(Some(&pair()), at(2.6));
    assert!(matches!(&straw.asked()[..], [Prompt::Text(_)]));
}

fn user_text(text: &str) -> Option<UserText> {
    Some(UserText::read(text))
}

#[test]
fn a_wish_stays_without_end_and_auto_ends_it() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    worker.set_user_text(
        user_text("Brighten the picture and sharpen the edges."),
        at(0.0),
    );
    assert!(worker.wants_pair(at(0.0)));
    worker.step(Some(&pair()), at(0.0));
    assert_eq!(
        (watch.get().origin, watch.get().text.as_str()),
        (Origin::User, "Brighten the picture and sharpen the edges.")
    );
    worker.step(Some(&pair()), at(500.0));
    assert_eq!(watch.get().origin, Origin::User);
    // The network reads its own words, and the same ones are encoded once.
    let asked = straw.asked();
    assert!(
        matches!(&asked[..], [Prompt::Text(text)] if text.contains("sharpen the edges")),
        "{asked:?}"
    );
    worker.set_user_text(None, at(500.0));
    worker.step(None, at(500.1));
    assert_eq!(watch.get().origin, Origin::User);
    worker.step(Some(&pair()), at(500.2));
    assert_eq!(watch.get().origin, Origin::Llm);
}

#[test]
fn a_wish_is_followed_while_the_pair_needs_it() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    worker.set_user_text(user_text("Brighten the picture."), at(0.0));
    let fate = |worker: &GuideWorker| worker.status(at(1.0)).wish.unwrap().requests[0].accepted;
    let mut light = pair();
    light.visible.data_mut().fill(150);
    for (second, pair, needed) in [
        (0.0, &pair(), true),
        (3.0, &light, false),
        (6.0, &pair(), true),
    ] {
        worker.step(Some(pair), at(second));
        assert_eq!(fate(&worker), needed, "at {second}");
        let levels = watch.get().controls.levels[1];
        assert_eq!(levels.brighten > 0.0, needed, "at {second}");
        assert_eq!(watch.get().values(), neutral().values());
        assert_eq!(watch.get().text, "Brighten the picture.");
    }
}

#[test]
fn people_are_raised_without_a_describer_and_no_text_is_encoded() {
    let watch = Arc::new(Watch::new((*neutral()).clone()));
    let absent = Err(DescribeError::Absent("it is not there".to_owned()));
    let settings = GuideSettings::from(&DescribeConfig::default());
    let mut worker = GuideWorker::new(settings, neutral(), absent, Arc::clone(&watch));
    worker.set_user_text(
        user_text("Bring out the people on the left, and more texture."),
        at(0.0),
    );
    worker.step(Some(&pair()), at(0.0));
    let guidance = watch.get();
    let emphasis = guidance.controls.emphasis.unwrap();
    assert_eq!(
        (emphasis.strength, emphasis.place),
        (1.0, Some(Place::Left))
    );
    assert_eq!(guidance.values(), neutral().values());
    let requests = worker.status(at(0.0)).wish.unwrap().requests;
    assert!(
        requests[0].accepted && !requests[1].accepted,
        "{requests:?}"
    );
    worker.set_user_text(None, at(1.0));
    assert_eq!(watch.get().controls.emphasis, None);
}

#[test]
fn a_wish_that_is_refused_gives_way_to_the_describer() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    straw.then(Err(DescribeError::Refused("too long".to_owned())));
    worker.set_user_text(user_text("Show more texture."), at(0.0));
    worker.step(Some(&pair()), at(0.0));
    assert_eq!(straw.asked().len(), 1);
    let status = worker.status(at(0.0));
    assert!(status.last_error.unwrap().contains("too long"));
    assert_eq!((status.wish, watch.get().origin), (None, Origin::Neutral));
    worker.step(Some(&pair()), at(3.0));
    worker.step(Some(&pair()), at(3.1));
    assert_eq!(watch.get().origin, Origin::Llm);
}

#[test]
fn an_open_text_is_what_it_is_nearest_to_or_an_error() {
    let straw = Straw::default();
    let (mut worker, watch) = worker(&straw);
    let open = UserText::read("Somebody hides behind that wall.");
    assert!(open.understood.is_open);
    // Features of three columns are near to nothing.
    assert!(
        worker
            .consider(&open)
            .unwrap_err()
            .contains("not understood")
    );
    assert_eq!(straw.asked().len(), 1);
    assert!(
        worker
            .consider(&UserText::read("Keep it dark."))
            .unwrap_err()
            .contains("leave")
    );
    straw.then(Err(DescribeError::Died("gone".to_owned())));
    assert!(worker.consider(&open).unwrap_err().contains("gone"));
    assert_eq!(watch.get().origin, Origin::Neutral);
}

#[test]
fn features_of_another_encoder_never_come_into_force() {
    let straw = Straw::default();
    straw.0.lock().unwrap().dim = Some(DIM + 1);
    let (mut worker, watch) = worker(&straw);
    worker.step(Some(&pair()), at(0.0));
    assert_eq!(watch.get().origin, Origin::Neutral);
    let status = worker.status(at(1.0));
    assert_eq!(status.failed, 1);
    assert!(status.last_error.unwrap().contains("4 features"));
}

#[test]
fn without_a_describer_the_text_is_shown_and_the_features_stay_neutral() {
    let watch = Arc::new(Watch::new((*neutral()).clone()));
    let settings = GuideSettings::from(&DescribeConfig::default());
    let absent = Err(DescribeError::Absent("no encoder".to_owned()));
    let mut worker = GuideWorker::new(settings, neutral(), absent, Arc::clone(&watch));
    worker.step(Some(&pair()), at(0.0));
    let shown = watch.get();
    assert_eq!(shown.values(), neutral().values());
    assert!(
        shown.text.contains("The fused image should"),
        "{}",
        shown.text
    );
    assert!(
        worker
            .status(at(1.0))
            .last_error
            .unwrap()
            .contains("no encoder")
    );
}
