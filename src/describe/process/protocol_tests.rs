use super::*;
use crate::describe::process::view::{MAX_PIXELS, ViewKind};
use proptest::prelude::*;

fn messages() -> Vec<Message> {
    vec![
        Message::Hello(Hello {
            llm: None,
            encoder: "minilm".to_owned(),
            dim: 384,
            pid: 7,
            note: Some("no model".to_owned()),
            encoder_sha256: Some("00".to_owned()),
            sees: true,
        }),
        Message::Describe(Call {
            task: Task::Mff,
            about: vec!["The \"first\" image.\n".to_owned()],
            max_tokens: 90,
            max_rows: 64,
            deadline_ms: 1000,
            views: vec![view_of(2, 1), view_of(1, 3)],
        }),
        Message::Encode(EncodeCall {
            text: "ü".to_owned(),
            max_rows: 64,
        }),
        Message::Description(EncodedText {
            text: "t".to_owned(),
            origin: Origin::Llm,
            features: TokenFeatures {
                rows: 2,
                dim: 3,
                values: vec![0.0, 1.5, -2.0, f32::MIN, f32::MAX, 1e-20],
            },
        }),
        Message::Refused(Refusal {
            message: "no".to_owned(),
        }),
        Message::Ask(Call {
            task: Task::Ivf,
            about: vec![Asked {
                question: "What is warm?".to_owned(),
                sentences: vec!["The a is dark.".to_owned()],
                is_advice: false,
            }],
            max_tokens: 0,
            max_rows: 64,
            deadline_ms: 1000,
            views: vec![view_of(3, 3)],
        }),
        Message::Answers(vec![
            reply_of(1, 2),
            reply_of(3, 2),
            EncodedText {
                origin: Origin::Llm,
                ..reply_of(2, 1)
            },
        ]),
    ]
}

fn reply_of(rows: usize, dim: usize) -> EncodedText {
    EncodedText {
        text: format!("{rows} rows"),
        origin: Origin::Template,
        features: TokenFeatures {
            rows,
            dim,
            values: (0..rows * dim).map(|v| v as f32).collect(),
        },
    }
}

fn view_of(width: usize, channels: usize) -> View {
    View {
        kind: ViewKind::Visible,
        weight: 0.5,
        width,
        height: 2,
        channels,
        data: (0..2 * width * channels).map(|v| v as u8).collect(),
    }
}

#[test]
fn views_take_their_own_bytes_and_leave_none() {
    let call = |views| match &messages()[1] {
        Message::Describe(call) => Message::Describe(Call {
            views,
            ..call.clone()
        }),
        _ => unreachable!(),
    };
    let frame = encode(&call(vec![view_of(2, 1), view_of(1, 3)])).unwrap();
    let at = frame.windows(9).position(|w| w == b"\"width\":2").unwrap() + 8;
    for (width, fits) in [(b'1', false), (b'2', true), (b'9', false), (b'0', false)] {
        let mut changed = frame.clone();
        changed[at] = width;
        assert_eq!(decode(&changed).is_ok(), fits, "{}", char::from(width));
    }
    let short = View {
        data: vec![0],
        ..view_of(2, 1)
    };
    for views in [vec![short], vec![view_of(1, 1); MAX_VIEWS + 1]] {
        let error = encode(&call(views)).unwrap_err();
        assert!(matches!(error, ProtocolError::Views(_)), "{error}");
    }
}

#[test]
fn the_largest_views_fit_a_message() {
    let view = View {
        width: MAX_PIXELS / 250,
        height: 250,
        data: vec![7; MAX_PIXELS * 3],
        ..view_of(1, 3)
    };
    let Message::Ask(call) = &messages()[5] else {
        unreachable!()
    };
    let message = Message::Ask(Call {
        views: vec![view; MAX_VIEWS],
        ..call.clone()
    });
    let frame = encode(&message).unwrap();
    assert_eq!(decode(&frame).unwrap(), Some((message, frame.len())));
}

#[test]
fn answers_take_their_own_features_and_leave_none() {
    let frame = encode(&Message::Answers(vec![reply_of(2, 2), reply_of(1, 2)])).unwrap();
    let at = frame.windows(8).position(|w| w == b"\"rows\":2").unwrap() + 7;
    for (rows, fits) in [(b'1', false), (b'2', true), (b'9', false)] {
        let mut changed = frame.clone();
        changed[at] = rows;
        assert_eq!(decode(&changed).is_ok(), fits, "{}", char::from(rows));
    }
}

#[test]
fn every_message_comes_back_and_every_shorter_prefix_waits() {
    for message in messages() {
        let mut frame = encode(&message).unwrap();
        for end in 0..frame.len() {
            assert_eq!(decode(&frame[..end]), Ok(None), "{end} of {message:?}");
        }
        let length = frame.len();
        frame.extend_from_slice(b"FLMD next");
        assert_eq!(decode(&frame), Ok(Some((message, length))));
    }
}

#[test]
fn faults_are_told_apart() {
    assert!(matches!(decode(b"GG"), Err(ProtocolError::Magic { .. })));
    assert!(matches!(
        decode(b"FLMD\x03"),
        Err(ProtocolError::Version { found: 3 })
    ));
    assert!(matches!(
        decode(b"FLMD\x02\x09"),
        Err(ProtocolError::Kind { found: 9 })
    ));
    let huge = b"FLMD\x02\x01\0\0\xff\xff\xff\xff";
    assert!(matches!(decode(huge), Err(ProtocolError::Length { .. })));
    let empty = b"FLMD\x02\x01\0\0\0\0\0\0";
    assert!(matches!(decode(empty), Err(ProtocolError::Header(_))));
    let mut wrong = messages().remove(3);
    if let Message::Description(reply) = &mut wrong {
        reply.features.rows = usize::MAX;
    }
    assert!(matches!(encode(&wrong), Err(ProtocolError::Shape { .. })));
}

#[test]
fn a_shape_that_overflows_is_refused() {
    let header = br#"{"text":"","origin":"llm","rows":18446744073709551615,"dim":4}"#;
    let mut frame = b"FLMD\x02\x04\0\0".to_vec();
    frame.extend_from_slice(&(4 + header.len() as u32).to_le_bytes());
    frame.extend_from_slice(&(header.len() as u32).to_le_bytes());
    frame.extend_from_slice(header);
    assert!(matches!(decode(&frame), Err(ProtocolError::Shape { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_safe(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
    }

    #[test]
    fn any_payload_behind_a_sound_frame_header_is_safe(
        kind in 1u8..=7, header in 0u32..40, payload in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut frame = vec![b'F', b'L', b'M', b'D', 1, kind, 0, 0];
        frame.extend_from_slice(&(payload.len() as u32 + 4).to_le_bytes());
        frame.extend_from_slice(&header.to_le_bytes());
        frame.extend_from_slice(&payload);
        // Complete, so it is a message or an error; never a wait for more.
        prop_assert!(!matches!(decode(&frame), Ok(None)));
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0usize..80, value in any::<u8>(), which in 0usize..7) {
        let mut frame = encode(&messages()[which]).unwrap();
        let at = at % frame.len();
        frame[at] = value;
        if let Ok(Some((_, used))) = decode(&frame) {
            prop_assert!(used <= frame.len());
        }
    }
}
