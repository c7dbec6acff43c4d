// Tables that can be sorted by each column, and whose rows can be chosen by their text.

/** What a cell of a table is sorted by: of numbers nothing comes last, and what grew from none is most. */
const keyOf = (cell, isNumber) => {
  const text = cell.textContent.trim();
  if (!isNumber) return text.toLowerCase();
  if (text === 'new') return Infinity;
  const number = /-?[0-9.]+(?:e-?[0-9]+)?/.exec(text.replaceAll(',', ''));
  return number === null ? -Infinity : Number(number[0]);
};

/** The orders of a column, and which comes after which when its head is clicked on. */
const NEXT = { descending: 'ascending', ascending: 'descending' };
/** Of changes also that by size, whatever their sign. */
const NEXT_BY_SIZE = { other: 'descending', descending: 'ascending', ascending: 'other' };

/** Lets a table be sorted by what its column heads name. */
const makeSortable = (table) => {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    if (head.classList.contains('picture') || head.textContent === '') return;
    const isNumber = head.classList.contains('number');
    const button = element('button', { type: 'button' }, head.textContent);
    button.addEventListener('click', () => {
      const bySize = head.dataset.bySize !== undefined;
      // What is most comes first of numbers, what is first of names.
      const first = bySize ? 'other' : isNumber ? 'descending' : 'ascending';
      const order = (bySize ? NEXT_BY_SIZE : NEXT)[head.getAttribute('aria-sort')] ?? first;
      heads.forEach((other) => other.removeAttribute('aria-sort'));
      head.setAttribute('aria-sort', order);
      const body = table.tBodies[0];
      const rows = [...body.rows].map((row) => {
        const key = keyOf(row.cells[place], isNumber);
        return [order === 'other' && key !== -Infinity ? Math.abs(key) : key, row];
      });
      const sign = order === 'ascending' ? 1 : -1;
      rows.sort(([one], [other]) => (one < other ? -sign : one > other ? sign : 0));
      body.append(...rows.map(([, row]) => row));
    });
    head.replaceChildren(button);
  });
};

/** Lets rows of a table be chosen: by a text that they have, and by one of a column's few values. */
const makeFilterable = (frame) => {
  const table = frame.querySelector('table');
  const rows = [...table.tBodies[0].rows];
  const { filter: many, one } = frame.dataset;
  if (!many || rows.length < 6) return;
  const caption = frame.querySelector('h3').textContent;
  const search = element('input', {
    type: 'search', placeholder: `filter ${many}`, 'aria-label': `${caption}: filter ${many}`, spellcheck: 'false',
  });
  const count = element('output', { 'aria-live': 'polite' });
  const chosen = [];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter((word) => word !== '');
    let shown = 0;
    rows.forEach((row, place) => {
      const fits = words.every((word) => texts[place].includes(word))
        && chosen.every(({ select, column }) => select.value === '' || row.cells[column].textContent === select.value);
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    count.textContent = shown === rows.length
      ? `${grouped(shown)} ${shown === 1 ? one : many}`
      : `${grouped(shown)} of ${grouped(rows.length)} ${many}`;
  };
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    if (head.dataset.choice === undefined) return;
    const values = [...new Set(rows.map((row) => row.cells[column].textContent))].sort();
    if (values.length < 2) return;
    const name = head.textContent;
    const select = element('select', { 'aria-label': `${caption}: ${name}` },
      element('option', { value: '' }, `any ${name}`),
      ...values.filter((value) => value !== '').map((value) => element('option', { value }, value)));
    select.addEventListener('change', show);
    chosen.push({ select, column });
  });
  search.addEventListener('input', show);
  frame.querySelector('h3').after(element('div', { class: 'tools' }, search, ...chosen.map(({ select }) => select), count));
  show();
};
