//! The I2C bus of a status panel.
//!
//! Input: [`StatusPanelConfig`], messages. Output: writes to one address, or to a file. Thread:
//! panel. Blocks: for as long as a message takes. Allocates: never. Fails when:
//! the node cannot be opened, or the message is not acknowledged. Not its job: trying again.

use std::fs::File;
use std::io::{self, Write};

use super::super::bus_log::BusLog;
use crate::config::{BusKind, StatusPanelConfig};
use crate::sys::bus::open_i2c;

/// An open bus and the address on it.
pub(super) struct I2cBus {
    wires: Wires,
    address: u8,
}

enum Wires {
    Device(File),
    File(BusLog),
}

impl I2cBus {
    /// Opens what `config` names.
    ///
    /// # Errors
    /// What was found, and what to do.
    pub fn open(config: &StatusPanelConfig) -> Result<Self, String> {
        let path = &config.device;
        let wires = match config.bus {
            BusKind::Device => {
                let bus = open_i2c(path, config.address).map_err(|error| {
                    format!(
                        "cannot open {}: {error}; switch I2C on (Raspberry Pi: \
                         dtparam=i2c_arm=on), let filmd's user into group i2c, or set \
                         [status_panel] device",
                        path.display()
                    )
                })?;
                Wires::Device(bus)
            }
            BusKind::File => BusLog::open(path, config.fail_every)
                .map(Wires::File)
                .map_err(|error| format!("cannot write {}: {error}", path.display()))?,
        };
        Ok(Self {
            wires,
            address: config.address,
        })
    }

    /// One message.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.wires {
            Wires::File(log) => log.put(b'W', self.address, 0, bytes),
            // All of it or nothing: a message is not divided.
            Wires::Device(bus) => bus.write(bytes).map(drop),
        }
    }
}
