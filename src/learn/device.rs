//! Owns where an update's tensors live: the processor, or an accelerator that this program was built for.
//!
//! Must not know what is computed there. Acting stays on the processor in any case (`infer`): one row at
//! a time is nothing for an accelerator.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of device, as `--device` names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The first NVIDIA card; needs the cargo feature `cuda`.
    Cuda,
    /// The first Apple GPU; needs the cargo feature `metal`.
    Metal,
}

/// Why a device can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No device has this name.
    #[error("no device is called {0:?}; choose cpu, cuda or metal")]
    Unknown(String),
    /// The program was built without it.
    #[error(
        "this program was built without {device}; build it with `cargo build --release --features {device}`, or take \
         the processor (--device cpu)"
    )]
    NotBuilt {
        /// The device asked for.
        device: Device,
    },
    /// The driver, or the hardware, or the lack of it.
    #[error("{device} does not start: {source}; look after its driver, or take the processor (--device cpu)")]
    Start {
        /// The device asked for.
        device: Device,
        /// What the tensor library said.
        source: candle_core::Error,
    },
}

impl Device {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::Metal];

    /// Its name, which is that of its cargo feature too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        }
    }

    /// Whether this program was built for it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda => cfg!(feature = "cuda"),
            Self::Metal => cfg!(feature = "metal"),
        }
    }

    /// Starts it, for [`ActorCritic::on`](super::policy::ActorCritic::on).
    ///
    /// # Errors
    /// If the program was built without it, or it does not start.
    pub fn open(self) -> Result<candle_core::Device, DeviceError> {
        if !self.is_built() {
            return Err(DeviceError::NotBuilt { device: self });
        }
        let started = match self {
            Self::Cpu => Ok(candle_core::Device::Cpu),
            Self::Cuda => candle_core::Device::new_cuda(0),
            Self::Metal => candle_core::Device::new_metal(0),
        };
        started.map_err(|source| DeviceError::Start { device: self, source })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let found = Self::ALL.into_iter().find(|device| device.name() == name);
        found.ok_or_else(|| DeviceError::Unknown(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_was_not_built_says_how_to_build_it() {
        assert!(Device::Cpu.open().expect("always there").is_cpu());
        for device in Device::ALL {
            assert_eq!(device.name().parse::<Device>().expect("its own name"), device);
            assert_eq!(serde_yaml::to_string(&device).expect("a name").trim(), device.name());
            if !device.is_built() {
                let error = device.open().expect_err("not built").to_string();
                assert!(error.contains(&format!("--features {device}")), "{error}");
            }
        }
        let error = "gpu".parse::<Device>().expect_err("no such device").to_string();
        assert_eq!(error, "no device is called \"gpu\"; choose cpu, cuda or metal");
    }
}
