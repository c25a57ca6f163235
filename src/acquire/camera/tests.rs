use super::advice::{IO_MC, explain_open, list_offers};
use super::*;
use v4l::capability::Flags as Capability;

fn config(device: &str) -> CameraConfig {
    CameraConfig {
        device: device.into(),
        format: "Y16".into(),
        width: 160,
        height: 122,
        fps: None,
        telemetry_rows: 2,
        ..CameraConfig::default()
    }
}

fn refusal(config: &CameraConfig) -> String {
    match V4lCamera::open(config) {
        Ok(_) => panic!("{} was opened", config.device.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_no_camera_is_refused_with_advice() {
    let text = refusal(&config("/dev/no-such-camera"));
    assert!(
        text.starts_with("/dev/no-such-camera: ") && text.contains("plugged in"),
        "{text}"
    );
    let text = refusal(&config("/dev/null"));
    assert!(text.contains("is not a video device"), "{text}");
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = refusal(&config(&file.path().display().to_string()));
    assert!(text.contains("is a file, not a video device"), "{text}");
    assert!(refusal(&config("/dev")).contains("is a folder"));
}

#[test]
fn an_impossible_configuration_is_refused_before_the_device_is_touched() {
    let mut bad = config("/dev/null");
    bad.format = "H264".into();
    assert!(refusal(&bad).contains("H264"), "{}", refusal(&bad));
    let mut bad = config("/dev/null");
    bad.telemetry_rows = 122;
    assert!(refusal(&bad).contains("leaves no picture"));
    bad.telemetry_rows = 2;
    for format in ["MJPG", "NV12"] {
        bad.format = format.into();
        assert!(
            refusal(&bad).contains("rows of raw counts"),
            "{}",
            refusal(&bad)
        );
    }
    bad.format = "Y16".into();
    bad.telemetry_rows = 0;
    bad.width = usize::MAX;
    assert!(refusal(&bad).contains("leaves no picture"));
}

#[test]
fn each_error_number_has_its_advice() {
    let from = |e: rustix::io::Errno| io::Error::from_raw_os_error(e.raw_os_error());
    use rustix::io::Errno;
    assert!(explain_open(&from(Errno::ACCESS)).contains("group video"));
    assert!(explain_open(&from(Errno::BUSY)).contains("fuser"));
    assert!(explain_stream(&from(Errno::NOSPC), "no stream").contains("USB bus has no bandwidth"));
    assert!(explain_stream(&from(Errno::PIPE), "no stream").contains("csi-rpicam"));
}

#[test]
fn nodes_that_take_no_pictures_are_refused() {
    let streaming = Capability::VIDEO_CAPTURE | Capability::STREAMING;
    assert_eq!(check_capabilities(streaming, 0, "Lepton"), Ok(()));
    let text = check_capabilities(
        Capability::META_CAPTURE | Capability::STREAMING,
        0,
        "Lepton",
    );
    assert!(text.unwrap_err().contains("metadata node of \"Lepton\""));
    let planes = Capability::VIDEO_CAPTURE_MPLANE;
    assert_eq!(
        check_capabilities(planes | Capability::STREAMING, 0, "isp"),
        Ok(())
    );
    assert!(check_capabilities(planes, 0, "isp").is_err());
    assert!(check_capabilities(Capability::VIDEO_OUTPUT, 0, "loop").is_err());
    assert!(check_capabilities(Capability::VIDEO_CAPTURE, 0, "old").is_err());
    // The Raspberry Pi 5's rp1-cfe: it streams, but nobody has set its graph up.
    let text = check_capabilities(streaming, IO_MC | 0x0420_0001, "rp1-cfe").unwrap_err();
    assert!(
        text.contains("media graph") && text.contains("rpicam-vid"),
        "{text}"
    );
}

#[test]
fn another_format_or_size_than_asked_for_is_named() {
    let found = Found {
        fourcc: *b"Y16 ",
        width: 160,
        height: 122,
    };
    let config = config("/dev/video0");
    assert_eq!(mismatch(&config, PixelFormat::Y16, &found), None);
    let other = Found {
        fourcc: *b"YUYV",
        height: 120,
        ..found
    };
    let text = mismatch(&config, PixelFormat::Y16, &other).unwrap();
    assert_eq!(text, "was asked for Y16 160x122 and chose YUYV 160x120");
    let list = [
        (
            "Y16 ".to_owned(),
            vec!["80x60".to_owned(), "160x120".to_owned()],
        ),
        ("MJPG".to_owned(), vec![]),
    ];
    assert_eq!(list_offers(&list), "Y16 80x60 160x120, MJPG");
    assert_eq!(list_offers(&[]), "nothing");
}

#[test]
fn telemetry_is_below_the_picture_and_a_missing_stride_is_made_up() {
    let config = config("/dev/video0");
    let made_up = layout(&config, PixelFormat::Y16, 0);
    assert_eq!((made_up.size, made_up.stride), (Size::new(160, 120), 320));
    assert_eq!(layout(&config, PixelFormat::Y16, 512).stride, 512);
}

#[test]
fn ycbcr_is_limited_unless_the_driver_says_otherwise() {
    let of = quantization;
    assert_eq!(
        of(V4lQuantization::Default, Colorspace::SRGB),
        Quantization::Limited
    );
    assert_eq!(
        of(V4lQuantization::Default, Colorspace::JPEG),
        Quantization::Full
    );
    assert_eq!(
        of(V4lQuantization::FullRange, Colorspace::SRGB),
        Quantization::Full
    );
    assert_eq!(
        of(V4lQuantization::LimitedRange, Colorspace::JPEG),
        Quantization::Limited
    );
}

/// FILMD_CAMERAS names one camera per entry as `device,format,width,height`, separated by spaces.
fn named_cameras() -> Vec<CameraConfig> {
    let named = std::env::var("FILMD_CAMERAS").expect("FILMD_CAMERAS names devices");
    named
        .split_whitespace()
        .map(|entry| {
            let parts: Vec<&str> = entry.split(',').collect();
            CameraConfig {
                format: parts[1].into(),
                width: parts[2].parse().unwrap(),
                height: parts[3].parse().unwrap(),
                telemetry_rows: 0,
                ..config(parts[0])
            }
        })
        .collect()
}

/// Streams from real devices, or two of the kernel's vivid; see [`named_cameras`].
#[test]
#[ignore = "needs video devices"]
fn streams_from_the_devices_named() {
    let cameras = named_cameras();
    let mut other = cameras[0].clone();
    other.width += 3;
    let text = refusal(&other);
    assert!(text.contains("it offers"), "{text}");
    let pair = crate::config::CamerasConfig {
        infrared: cameras[0].clone(),
        visible: cameras[1].clone(),
        max_skew_ms: 60,
    };
    let both_cameras = crate::config::SourceConfig::Cameras(Box::new(pair.clone()));
    let mut source = crate::acquire::open_source(&both_cameras, &Default::default()).unwrap();
    let text = refusal(&cameras[0]);
    assert!(text.contains("another program uses it"), "{text}");
    let mut both = 0;
    let mut last = [None; 2];
    for _ in 0..60 {
        let Ok(found) = source.next_pair(Duration::from_secs(3)) else {
            continue;
        };
        both += u32::from(found.infrared.is_some() && found.visible.is_some());
        for (frame, last) in [&found.infrared, &found.visible].into_iter().zip(&mut last) {
            if let Some(frame) = frame {
                assert!(*last <= Some(frame.timestamp), "time goes back");
                *last = Some(frame.timestamp);
                let first = frame.picture.data()[0];
                assert!(
                    frame.picture.data().iter().any(|&v| v.abs_diff(first) > 30),
                    "flat"
                );
            }
        }
    }
    let counters = source.counters();
    assert!(both > 40, "{both} pairs of two, {counters:?}");
    assert_eq!(counters.damaged, 0);
    drop(source);
    drop(V4lCamera::open(&cameras[0]).expect("it is free again"));
}

/// The two devices of FILMD_CAMERAS are taken away for a while (by hand, or by unbinding vivid)
/// while this runs, and have to be back in the end.
#[test]
#[ignore = "needs video devices, and somebody who unplugs them"]
fn goes_on_after_the_devices_named_were_unplugged() {
    let cameras = named_cameras();
    let pair = crate::config::CamerasConfig {
        infrared: cameras[0].clone(),
        visible: cameras[1].clone(),
        max_skew_ms: 60,
    };
    let source = crate::config::SourceConfig::Cameras(Box::new(pair));
    let mut source = crate::acquire::open_source(&source, &Default::default()).unwrap();
    let start = crate::clock::Clock.now();
    let mut stalls = 0;
    let mut both_after = 0;
    while crate::clock::Clock.now().since(start) < Duration::from_secs(30) {
        match source.next_pair(Duration::from_millis(500)) {
            Ok(found) if stalls > 2 => {
                both_after += u32::from(found.infrared.is_some() && found.visible.is_some());
            }
            Ok(_) => {}
            Err(AcquireError::Stalled(_)) => stalls += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(stalls > 2, "nobody unplugged the cameras");
    assert!(both_after > 5, "{both_after} pairs after {stalls} stalls");
}

#[test]
fn half_pictures_are_told_from_whole_ones() {
    use super::advice::{Fields, fields};
    use v4l::format::FieldOrder;
    assert_eq!(fields(FieldOrder::Progressive), Fields::Whole);
    assert_eq!(fields(FieldOrder::Interlaced), Fields::Woven);
    for half in [
        FieldOrder::SequentialTB,
        FieldOrder::Alternate,
        FieldOrder::Top,
    ] {
        assert_eq!(fields(half), Fields::Halves);
    }
}
