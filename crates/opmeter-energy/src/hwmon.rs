//! The energy counters of hwmon's driver `amd_energy` (`Documentation/hwmon/amd_energy.rst`): `energyN_input` in
//! microjoules, of what `energyN_label` says: `Ecore000` and so on, `Esocket0` and so on. The driver adds up
//! what the processor's registers show, in 64 bits, so that its counters never begin again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{Kind, Place};
use crate::source::{Found, Refusal};
use crate::sysfs::{folders, number, text};
use crate::{Domain, Source, Sysfs};

const NAME: &str = "hwmon";

/// The driver whose counters are known.
const DRIVER: &str = "amd_energy";

/// A rule that lets everybody read the counters, now and after the next start of the machine.
const REMEDY: &str = "echo 'ACTION==\"add\", SUBSYSTEM==\"hwmon\", ATTR{name}==\"amd_energy\", \
    RUN+=\"/bin/sh -c '\"'\"'chmod a+r /sys%p/energy*_input'\"'\"'\"' | sudo tee /etc/udev/rules.d/71-opmeter.rules && \
    sudo udevadm control --reload && sudo udevadm trigger --action=add --subsystem-match=hwmon";

/// Counters of hwmon that can be read. A domain is the sum of some of them.
#[derive(Debug)]
struct Hwmon {
    domains: Vec<Domain>,
    files: Vec<Vec<PathBuf>>,
}

/// Looks for counters.
pub(crate) fn find(sysfs: &Sysfs) -> Found {
    let folder = sysfs.path("class/hwmon");
    let drivers = folders(&folder).into_iter().map(|(_, path)| path);
    let drivers: Vec<PathBuf> =
        drivers.filter(|path| text(&path.join("name")).is_ok_and(|name| name == DRIVER)).collect();
    let mut counters: BTreeMap<(Kind, Place), Vec<PathBuf>> = BTreeMap::new();
    let mut refused = Vec::new();
    for driver in &drivers {
        for (what, path) in labelled(driver) {
            counters.entry(what).or_default().push(path);
        }
    }
    counters.retain(|_, paths| {
        let error = paths.iter().find_map(|path| Some((path, number::<u64>(path).err()?)));
        refused.extend(error.as_ref().map(|(path, error)| refusal(path, error)));
        error.is_none()
    });
    if drivers.is_empty() {
        refused.push(Refusal {
            problem: format!("{} has no driver {DRIVER}", folder.display()),
            remedy: Some(format!("sudo modprobe {DRIVER}")),
        });
    } else if counters.is_empty() && refused.is_empty() {
        refused.push(Refusal { problem: format!("its driver {DRIVER} shows no counters"), remedy: None });
    }
    let domain = |&(kind, place): &(Kind, Place)| Domain { kind, place, joules_per_step: 1e-6, range: None };
    let domains: Vec<Domain> = counters.keys().map(domain).collect();
    let any = !domains.is_empty();
    let source = Hwmon { domains, files: counters.into_values().collect() };
    Found { name: NAME, source: any.then(|| Box::new(source) as Box<dyn Source>), refused }
}

/// The counters of a driver, with what they are of.
fn labelled(driver: &Path) -> Vec<((Kind, Place), PathBuf)> {
    let entries = std::fs::read_dir(driver).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let counters = names.filter_map(|name| {
        let counter = name.strip_suffix("_label").filter(|name| name.starts_with("energy"))?;
        let label = text(&driver.join(&name)).ok()?;
        let what = match label.strip_prefix("Esocket") {
            Some(socket) => (Kind::Package, Place { socket: Some(socket.parse().ok()?), die: None }),
            // Cores are numbered through all sockets.
            None if label.starts_with("Ecore") => (Kind::Cores, Place::default()),
            None => return None,
        };
        Some((what, driver.join(format!("{counter}_input"))))
    });
    counters.collect()
}

fn refusal(path: &Path, error: &io::Error) -> Refusal {
    let remedy = (error.kind() == io::ErrorKind::PermissionDenied).then(|| REMEDY.to_owned());
    Refusal { problem: format!("{} can't be read: {error}", path.display()), remedy }
}

impl Source for Hwmon {
    fn name(&self) -> &'static str {
        NAME
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn read(&mut self, domain: usize) -> io::Result<u64> {
        self.files[domain].iter().map(|path| number::<u64>(path)).sum()
    }
}
