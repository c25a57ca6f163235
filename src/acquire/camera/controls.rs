//! A camera's own controls, by name, from the configuration.
//!
//! Input: names and values. Output: the camera set. Thread: acquire. Blocks: as long as the driver
//! takes. Allocates: yes, when a camera is opened. Fails when: there is no such control or the value
//! is refused; says what there is. Not its job: remembering; they are set at every opening.

use std::collections::BTreeMap;

use v4l::Device;
use v4l::control::{Control, Description, Flags, Type, Value};

/// A control's name as `v4l2-ctl` writes it: "White Balance, Automatic" is
/// `white_balance_automatic`.
pub fn plain_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_end_matches('_').to_owned()
}

/// Sets `wanted`; what is to be switched to manual first comes first by the order of the names
/// `auto_...` and `white_balance_automatic`, and a control that is refused is tried once more after
/// the others, since many can be set only once their automatic is off.
///
/// # Errors
/// A sentence that names the control and what there is.
pub fn apply(device: &Device, wanted: &BTreeMap<String, i64>) -> Result<(), String> {
    if wanted.is_empty() {
        return Ok(());
    }
    let there = device
        .query_controls()
        .map_err(|e| format!("does not list its controls: {e}"))?;
    let mut refused = Vec::new();
    for (name, value) in wanted {
        let control = choose(&there, name, *value)?;
        if device.set_control(control_of(control, *value)).is_err() {
            refused.push((control, *value));
        }
    }
    for (control, value) in refused {
        device
            .set_control(control_of(control, value))
            .map_err(|e| format!("refuses {} = {value}: {e}", plain_name(&control.name)))?;
    }
    Ok(())
}

fn control_of(control: &Description, value: i64) -> Control {
    let value = match control.typ {
        Type::Boolean => Value::Boolean(value != 0),
        _ => Value::Integer(value),
    };
    Control {
        id: control.id,
        value,
    }
}

fn usable(control: &Description) -> bool {
    let values = matches!(
        control.typ,
        Type::Integer
            | Type::Boolean
            | Type::Menu
            | Type::IntegerMenu
            | Type::Integer64
            | Type::Bitmask
    );
    values && !control.flags.intersects(Flags::DISABLED | Flags::READ_ONLY)
}

/// The control of that name, if it takes that value.
fn choose<'a>(there: &'a [Description], name: &str, value: i64) -> Result<&'a Description, String> {
    let found = there
        .iter()
        .find(|c| usable(c) && plain_name(&c.name) == name);
    let Some(control) = found else {
        let names: Vec<_> = there.iter().filter(|c| usable(c)).map(describe).collect();
        let names = if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        };
        return Err(format!("has no control {name:?}; it has {names}"));
    };
    if control.typ != Type::Bitmask && !(control.minimum..=control.maximum).contains(&value) {
        return Err(format!(
            "{name} = {value} is out of range: {}",
            describe(control)
        ));
    }
    Ok(control)
}

/// Name and range, for messages and listings.
pub fn describe(control: &Description) -> String {
    let name = plain_name(&control.name);
    format!("{name} {}..={}", control.minimum, control.maximum)
}

/// The controls that can be set, with their ranges.
pub fn list(device: &Device) -> Vec<String> {
    let there = device.query_controls().unwrap_or_default();
    there.iter().filter(|c| usable(c)).map(describe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(name: &str, typ: Type, flags: Flags) -> Description {
        Description {
            id: 7,
            typ,
            name: name.into(),
            minimum: -10,
            maximum: 10,
            step: 1,
            default: 0,
            flags,
            items: None,
        }
    }

    #[test]
    fn names_are_those_of_v4l2_ctl() {
        assert_eq!(
            plain_name("White Balance, Automatic"),
            "white_balance_automatic"
        );
        assert_eq!(plain_name("Gain"), "gain");
        assert_eq!(plain_name("  Exposure (Absolute) "), "exposure_absolute");
    }

    #[test]
    fn unknown_controls_and_values_are_named_with_what_there_is() {
        let there = [
            control("Brightness", Type::Integer, Flags::empty()),
            control("User Controls", Type::CtrlClass, Flags::empty()),
            control("Old", Type::Integer, Flags::DISABLED),
        ];
        assert_eq!(choose(&there, "brightness", -10).map(|c| c.id), Ok(7));
        let text = choose(&there, "old", 1).unwrap_err();
        assert_eq!(text, "has no control \"old\"; it has brightness -10..=10");
        let text = choose(&there, "brightness", 11).unwrap_err();
        assert!(
            text.contains("11 is out of range: brightness -10..=10"),
            "{text}"
        );
        assert!(choose(&[], "x", 1).unwrap_err().ends_with("it has none"));
    }
}
