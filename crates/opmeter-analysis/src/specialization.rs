use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use opmeter_recording::SpecializationRow;

use crate::{Files, RowFilter, Totals};

/// In which forms something ran.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forms {
    /// All executions.
    pub executions: u128,
    /// Executions in a specialised form whose guard held.
    pub specialized: u128,
    /// Executions in the generic form.
    pub unspecialized: u128,
    /// Executions in a specialised form whose guard failed.
    pub missed: u128,
}

impl Forms {
    fn add(&mut self, row: &SpecializationRow) {
        self.executions += u128::from(row.executions);
        self.specialized += u128::from(row.specialized);
        self.unspecialized += u128::from(row.unspecialized);
        self.missed += u128::from(row.missed);
    }
}

/// One instruction of the source that has specialised forms. Code objects that are alike in file, function
/// and first line (those of other processes, for one) are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The file.
    pub file: Arc<str>,
    /// The function's name.
    pub function: Arc<str>,
    /// The line; 0 where it belongs to none.
    pub line: u32,
    /// Where it stands in the bytecode, in bytes.
    pub offset: u32,
    /// The family: the opcode that the compiler wrote.
    pub opcode: Arc<str>,
    /// In which forms it ran.
    pub forms: Forms,
}

/// How well the interpreter could specialise what ran, added up over the rows that are taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Specialization {
    /// Families by name: most executions first, by name among equals.
    pub families: Vec<(Arc<str>, Forms)>,
    /// Sites that ran in their generic form, those with the most such executions first.
    pub generic: Vec<Site>,
    /// Sites whose guards failed, those with the most failures first.
    pub missing: Vec<Site>,
    /// What all of them add up to.
    pub totals: Totals,
}

impl Specialization {
    /// Adds up the rows that `filter` takes, in the files that are taken.
    pub fn new(rows: &[SpecializationRow], filter: RowFilter, files: &Files<'_>) -> Specialization {
        let mut families: BTreeMap<&Arc<str>, Forms> = BTreeMap::new();
        let mut sites: HashMap<(&str, &str, u32, u32, &str), Site> = HashMap::new();
        let totals = Totals::add_up(
            rows,
            filter,
            |file| files.takes(file),
            |row| {
                families.entry(&row.opcode).or_default().add(row);
                let key = (&*row.file, &*row.function, row.first_line, row.offset, &*row.opcode);
                let site = sites.entry(key).or_insert_with(|| Site {
                    file: row.file.clone(),
                    function: row.function.clone(),
                    line: row.line,
                    offset: row.offset,
                    opcode: row.opcode.clone(),
                    forms: Forms::default(),
                });
                site.forms.add(row);
            },
        );
        let mut families: Vec<(Arc<str>, Forms)> =
            families.into_iter().map(|(family, forms)| (family.clone(), forms)).collect();
        families.sort_by_key(|(_, forms)| Reverse(forms.executions));
        let sites: Vec<Site> = sites.into_values().collect();
        Specialization {
            families,
            generic: ranked(&sites, |forms| forms.unspecialized),
            missing: ranked(&sites, |forms| forms.missed),
            totals,
        }
    }
}

/// The sites that have any of something, most first, by place among equals.
fn ranked(sites: &[Site], of: impl Fn(&Forms) -> u128) -> Vec<Site> {
    let mut sites: Vec<Site> = sites.iter().filter(|site| of(&site.forms) > 0).cloned().collect();
    sites.sort_by(|one, other| {
        let place = |site: &Site| (site.file.clone(), site.line, site.function.clone(), site.offset);
        (Reverse(of(&one.forms)), place(one)).cmp(&(Reverse(of(&other.forms)), place(other)))
    });
    sites
}
