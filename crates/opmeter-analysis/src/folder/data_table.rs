use std::cmp::Ordering;
use std::fmt;

/// A table of results, for any format: columns of the same length.
#[derive(Debug, Clone, PartialEq)]
pub struct DataTable {
    /// What it is of, for formats that name their tables.
    pub name: &'static str,
    /// The columns.
    pub columns: Vec<DataColumn>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct DataColumn {
    /// Its name, the same in every format; units stand at its end.
    pub name: &'static str,
    /// Its values, one a row.
    pub values: DataValues,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum DataValues {
    /// Texts.
    Text(Vec<String>),
    /// Whole numbers; none where there is none, such as executions that were not counted.
    Whole(Vec<Option<u64>>),
    /// Whole numbers that may be below 0.
    Signed(Vec<i64>),
    /// Numbers; not a number where there is none, such as joules that were not measured.
    Real(Vec<f64>),
}

/// There is no such column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoColumn {
    /// The columns that there are.
    pub known: Vec<&'static str>,
}

impl fmt::Display for NoColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no such column; columns are {}", self.known.join(", "))
    }
}

impl std::error::Error for NoColumn {}

impl DataColumn {
    /// A column of texts.
    pub fn text(name: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        Self { name, values: DataValues::Text(values.into_iter().collect()) }
    }

    /// A column of whole numbers.
    pub fn whole(name: &'static str, values: impl IntoIterator<Item = u64>) -> Self {
        Self::known(name, values.into_iter().map(Some))
    }

    /// A column of whole numbers; none where there is no number.
    pub fn known(name: &'static str, values: impl IntoIterator<Item = Option<u64>>) -> Self {
        Self { name, values: DataValues::Whole(values.into_iter().collect()) }
    }

    /// A column of whole numbers that may be below 0.
    pub fn signed(name: &'static str, values: impl IntoIterator<Item = i64>) -> Self {
        Self { name, values: DataValues::Signed(values.into_iter().collect()) }
    }

    /// A column of numbers; none where there is no number.
    pub fn real(name: &'static str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values = values.into_iter().map(|value| value.unwrap_or(f64::NAN));
        Self { name, values: DataValues::Real(values.collect()) }
    }

    /// Whether all its values are missing.
    fn is_empty(&self) -> bool {
        match &self.values {
            DataValues::Real(values) => values.iter().all(|value| value.is_nan()),
            DataValues::Whole(values) => values.iter().all(Option::is_none),
            DataValues::Text(_) | DataValues::Signed(_) => false,
        }
    }
}

impl DataValues {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Whole(values) => values.len(),
            Self::Signed(values) => values.len(),
            Self::Real(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The order of two of them: texts from A, numbers from the highest, missing ones last.
    fn order(&self, a: usize, b: usize) -> Ordering {
        match self {
            Self::Text(values) => values[a].cmp(&values[b]),
            Self::Whole(values) => values[b].cmp(&values[a]),
            Self::Signed(values) => values[b].cmp(&values[a]),
            Self::Real(values) => {
                let (a, b) = (values[a], values[b]);
                a.is_nan().cmp(&b.is_nan()).then(b.total_cmp(&a))
            }
        }
    }

    fn pick(&mut self, places: &[usize]) {
        match self {
            Self::Text(values) => *values = places.iter().map(|place| values[*place].clone()).collect(),
            Self::Whole(values) => *values = places.iter().map(|place| values[*place]).collect(),
            Self::Signed(values) => *values = places.iter().map(|place| values[*place]).collect(),
            Self::Real(values) => *values = places.iter().map(|place| values[*place]).collect(),
        }
    }
}

impl DataTable {
    /// A table of these columns, without those of numbers that are all missing.
    pub fn new(name: &'static str, columns: Vec<DataColumn>) -> Self {
        let has_rows = columns.first().is_some_and(|column| !column.values.is_empty());
        Self { name, columns: columns.into_iter().filter(|column| !has_rows || !column.is_empty()).collect() }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Sorts by a column: texts from A, numbers from the highest. Rows that are alike there keep their order.
    ///
    /// # Errors
    /// When there is no such column.
    pub fn sort_by(&mut self, name: &str) -> Result<(), NoColumn> {
        let Some(column) = self.columns.iter().find(|column| column.name == name) else {
            return Err(NoColumn { known: self.columns.iter().map(|column| column.name).collect() });
        };
        let mut places: Vec<usize> = (0..self.rows()).collect();
        places.sort_by(|a, b| column.values.order(*a, *b));
        self.pick(&places);
        Ok(())
    }

    /// Leaves only so many rows, the first ones; gives how many went.
    pub fn truncate(&mut self, rows: usize) -> usize {
        let gone = self.rows().saturating_sub(rows);
        self.pick(&(0..self.rows() - gone).collect::<Vec<usize>>());
        gone
    }

    fn pick(&mut self, places: &[usize]) {
        self.columns.iter_mut().for_each(|column| column.values.pick(places));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_sorted_and_cut() {
        let mut table = DataTable::new(
            "things",
            vec![
                DataColumn::text("name", ["b", "a", "c"].map(str::to_owned)),
                DataColumn::whole("count", [1, 3, 2]),
                DataColumn::real("part", [Some(0.5), None, Some(0.75)]),
                DataColumn::real("nothing", [None, None, None]),
            ],
        );
        assert_eq!((table.columns.len(), table.rows()), (3, 3));
        let names = |table: &DataTable| match &table.columns[0].values {
            DataValues::Text(names) => names.concat(),
            other => panic!("{other:?}"),
        };
        for (column, order) in [("count", "acb"), ("part", "cba"), ("name", "abc")] {
            table.sort_by(column).unwrap();
            assert_eq!(names(&table), order);
        }
        assert_eq!((table.truncate(2), names(&table).as_str(), table.rows()), (1, "ab", 2));
        assert_eq!(table.truncate(5), 0);
        let error = table.sort_by("nothing").unwrap_err().to_string();
        assert_eq!(error, "there is no such column; columns are name, count, part");
    }
}
