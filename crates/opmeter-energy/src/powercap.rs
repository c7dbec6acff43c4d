//! Zones of the kernel's powercap framework (`Documentation/power/powercap/powercap.rst`): a folder each, with
//! the zone's `name`, its `energy_uj`, and in `max_energy_range_uj` where that begins again. A zone's folder is
//! named after its place in the tree, `intel-rapl:PACKAGE:PART`, and stands both in its parent's and, as a
//! link, in the framework's. AMD's zones have the same names as Intel's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{Kind, Place};
use crate::source::{Found, Refusal};
use crate::sysfs::{folders, number, text};
use crate::{Domain, Source, Sysfs};

const NAME: &str = "powercap";

/// The control type whose zones are read through the processor's registers.
const RAPL: &str = "intel-rapl:";

/// That of the same counters, read through memory.
const MIRROR: &str = "intel-rapl-mmio:";

/// A rule that lets everybody read the counters, now and after the next start of the machine.
const REMEDY: &str = "echo 'ACTION==\"add\", SUBSYSTEM==\"powercap\", KERNEL==\"intel-rapl*:*\", \
    RUN+=\"/bin/chmod a+r /sys%p/energy_uj\"' | sudo tee /etc/udev/rules.d/70-opmeter.rules && \
    sudo udevadm control --reload && sudo udevadm trigger --action=add --subsystem-match=powercap";

/// The zones of powercap that can be read.
#[derive(Debug)]
struct Powercap {
    domains: Vec<Domain>,
    files: Vec<PathBuf>,
}

/// Looks for zones.
pub(crate) fn find(sysfs: &Sysfs) -> Found {
    let folder = sysfs.path("class/powercap");
    let mut zones = BTreeMap::new();
    collect(&folder, &mut zones);
    // Where the framework's folder holds only links that lead nowhere, as in a copy or a mount of a part of the tree.
    if zones.is_empty() {
        collect(&sysfs.path("devices/virtual/powercap"), &mut zones);
    }
    if zones.keys().any(|zone| zone.starts_with(RAPL)) {
        zones.retain(|zone, _| !zone.starts_with(MIRROR));
    }
    let mut found = Powercap { domains: Vec::new(), files: Vec::new() };
    let mut refused = Vec::new();
    for (zone, path) in &zones {
        match domain(zone, path, &zones) {
            Ok(Some(domain)) => {
                found.domains.push(domain);
                found.files.push(path.join("energy_uj"));
            }
            Ok(None) => {}
            Err(error) => refused.push(refusal(path, &error)),
        }
    }
    if zones.is_empty() {
        refused.push(Refusal {
            problem: format!("{} has no zone of a processor's energy", folder.display()),
            remedy: Some("sudo modprobe intel_rapl_msr".to_owned()),
        });
    }
    let source = (!found.domains.is_empty()).then(|| Box::new(found) as Box<dyn Source>);
    Found { name: NAME, source, refused }
}

/// The folders of zones at and below a folder, by the zones' names; a zone that is seen twice counts once.
fn collect(folder: &Path, zones: &mut BTreeMap<String, PathBuf>) {
    for (name, path) in folders(folder) {
        let is_zone = name.starts_with(RAPL) || name.starts_with(MIRROR);
        let is_control_type = RAPL == format!("{name}:") || MIRROR == format!("{name}:");
        if is_zone && !zones.contains_key(&name) && path.join("name").exists() {
            zones.insert(name, path.clone());
        }
        if is_zone || is_control_type {
            collect(&path, zones);
        }
    }
}

/// The domain of a zone; none where it is of a kind that is not known.
fn domain(zone: &str, path: &Path, zones: &BTreeMap<String, PathBuf>) -> io::Result<Option<Domain>> {
    let name = text(&path.join("name"))?;
    let Some(kind) = kind(&name) else { return Ok(None) };
    // A part says which it is, and its parent says of which package and die.
    let parent = zone.rsplit_once(':').and_then(|(parent, _)| zones.get(parent));
    let parent = parent.and_then(|parent| text(&parent.join("name")).ok());
    let place = if kind == Kind::Package { place(&name) } else { place(&parent.unwrap_or_default()) };
    let file = path.join("energy_uj");
    number::<u64>(&file).map_err(|error| io::Error::new(error.kind(), format!("energy_uj: {error}")))?;
    // Without it a wrap can't be told from a counter that was set back.
    let range = number(&path.join("max_energy_range_uj")).ok().filter(|range| *range > 0);
    Ok(Some(Domain { kind, place, joules_per_step: 1e-6, range }))
}

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "core" => Kind::Cores,
        "uncore" => Kind::Gpu,
        "dram" => Kind::Dram,
        name if name.starts_with("psys") => Kind::Psys,
        name if name.starts_with("package") => Kind::Package,
        _ => return None,
    })
}

/// Where a package is, by its name: `package-0`, `package-0-die-1`.
fn place(name: &str) -> Place {
    let mut words = name.split('-');
    let mut after = |word: &str| words.find(|found| *found == word).and_then(|_| words.next()?.parse().ok());
    let socket = after("package");
    Place { socket, die: after("die") }
}

fn refusal(path: &Path, error: &io::Error) -> Refusal {
    let remedy = (error.kind() == io::ErrorKind::PermissionDenied).then(|| REMEDY.to_owned());
    Refusal { problem: format!("{} can't be read: {error}", path.display()), remedy }
}

impl Source for Powercap {
    fn name(&self) -> &'static str {
        NAME
    }

    fn domains(&self) -> &[Domain] {
        &self.domains
    }

    fn read(&mut self, domain: usize) -> io::Result<u64> {
        // Opened anew each time: a zone whose driver goes shows only there.
        number(&self.files[domain])
    }
}
