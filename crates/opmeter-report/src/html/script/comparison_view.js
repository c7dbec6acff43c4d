// The view of a file of a comparison: both sides' lines beside each other, with what they ran.

class ComparisonView extends FileView {
  /** `index` is what the page says of all files. */
  constructor(index) {
    super();
    this.index = index;
  }

  read(number) {
    return new AlignedFile(dataOf(`aligned-${number}`));
  }

  label() {
    return this.index.files[this.number].label;
  }

  /** What stands above the lines: the file's names, ways to what changed, and what the signs mean. */
  above() {
    const { label, was, before, after } = this.index.files[this.number];
    const toggle = element('button', { type: 'button', class: 'fold-all' });
    const name = () => { toggle.textContent = this.file.onlyChanges ? 'Show all lines' : 'Show only what changed'; };
    toggle.addEventListener('click', () => {
      this.file.onlyChanges = !this.file.onlyChanges;
      name();
      this.showRows(this.content());
    });
    name();
    const step = (text, by, key) => element('button', {
      type: 'button', title: `${text} (key ${key} in the source)`, onclick: () => this.jump(by),
    }, text);
    const head = element('div', { class: 'file-head' },
      element('h4', {}, was === null ? label : `${was} → ${label}`),
      element('p', {}, `${grouped(before)} → ${grouped(after)} executions (${signed(difference(before, after))})`),
      element('div', { class: 'steps' }, step('Previous change', -1, 'p'), step('Next change', 1, 'n'), toggle));
    const key = element('ul', { class: 'key', 'aria-label': 'Signs' },
      ...Object.values(EDITS).filter(([sign]) => sign !== '').map(([sign, meaning]) =>
        element('li', {}, element('span', { class: 'mark' }, sign), meaning)),
      element('li', {}, element('span', { class: 'swatch heat-7' }), 'runs more often'),
      element('li', {}, element('span', { class: 'swatch cool-7' }), 'runs less often'));
    const none = this.file.data.has_text ? [] : [element('div', { class: 'warnings', role: 'note' }, element('p', {},
      element('strong', {}, 'Warning: '), 'the text of this file is missing: its lines are matched by their numbers'))];
    return [head, key, ...none];
  }

  /** The heads of the columns of numbers, with the widest number of each. */
  columns() {
    const { data, places } = this.file;
    const columns = [
      { name: 'executions before', class: 'wide', texts: data.executions_before.map(grouped) },
      { name: 'after', class: 'wide', texts: data.executions_after.map(grouped) },
      { name: 'change', class: '', texts: [...places.keys()].map((row) => signed(this.file.counts(row).change)) },
    ];
    if (this.index.timed) {
      const times = [...places.keys()].map((row) => this.file.time(row));
      const known = times.filter(({ net }) => net !== null);
      columns.push(
        { name: 'net Mcycles change', class: 'time estimate', texts: known.map(({ net }) => `≈ ${megacycles(net)}`) },
        { name: '±', class: 'time estimate', texts: known.map(({ error }) => `± ${megacycles(error, '')}`) },
        { name: 'raw cycles each', class: 'time', texts: times.map(({ raw }) => raw) });
    }
    return columns;
  }

  /** Columns as wide as the widest of their numbers. */
  setWidths() {
    const widths = this.columns().map(({ name, texts }) => {
      const words = name.split(' ').map((word) => word.length);
      return `calc(${texts.reduce((most, text) => Math.max(most, text.length), Math.max(...words))}ch + 0.7rem)`;
    });
    const digits = (numbers) => numbers.reduce((most, number) => Math.max(most, String(number).length), 3);
    const places = [this.file.data.before, this.file.data.after].map((numbers) => `calc(${digits(numbers)}ch + 0.6rem)`);
    const text = 'minmax(0, 1fr)';
    this.code.style.setProperty('--columns', [...widths, '1.5rem', places[0], text, places[1], text].join(' '));
    this.code.style.setProperty('--columns-without-times', [...widths.slice(0, 3), '1.5rem', places[0], text, places[1], text].join(' '));
    this.code.style.setProperty('--narrow-columns', [widths[2], '1rem', ...places, text].join(' '));
  }

  heads() {
    const head = (name, classes) => element('span', { class: classes, role: 'columnheader' }, name);
    return element('div', { class: 'row heads', role: 'row' },
      ...this.columns().map((column) => head(column.name, `number ${column.class}`)),
      head('', 'mark'), head('line', 'place before'), head('before', 'text before'),
      head('line', 'place after'), head('after', 'text after'));
  }

  /** Chunks of rows, and between them a button for each stretch that is folded. */
  content() {
    return this.file.stretches().flatMap(({ from, to, isFolded }) =>
      (isFolded ? [this.fold(from, to)] : this.chunksOf(from, to)));
  }

  fold(from, to) {
    const button = element('button', { type: 'button', class: 'fold', 'data-first': from, 'data-end': to },
      `${grouped(to - from)} lines that did not change`);
    button.addEventListener('click', () => {
      this.unfold(button);
      this.rowAt(from).tabIndex = -1;
      this.rowAt(from).focus({ preventScroll: true });
    });
    return button;
  }

  unfold(button) {
    button.replaceWith(...this.chunksOf(Number(button.dataset.first), Number(button.dataset.end)));
    this.watch();
  }

  rowAt(place) {
    const folded = [...this.code.querySelectorAll('.fold')].find(({ dataset }) =>
      place >= Number(dataset.first) && place < Number(dataset.end));
    if (folded) this.unfold(folded);
    return super.rowAt(place);
  }

  row(at) {
    const { data } = this.file;
    const edit = this.file.edit(at);
    const [sign, meaning] = EDITS[edit];
    const [before, after] = this.file.textsOf(at);
    const isTwo = before !== null && after !== null && before !== after;
    const row = element('div', {
      class: `row edit-${edit}${isTwo ? ' two' : ''}`, role: 'row', 'data-at': at,
      'data-before': data.before[at] || null, 'data-after': data.after[at] || null,
    });
    row.append(...this.numbers(at, edit),
      element('span', { class: 'mark', role: 'cell', title: sign === '' ? null : meaning },
        element('span', { 'aria-hidden': 'true' }, sign),
        ...(sign === '' ? [] : [element('span', { class: 'only-read' }, meaning)])));
    const away = this.file.elsewhere.get(at);
    [[before, after, 'before', 'from '], [after, before, 'after', 'to ']].forEach(([text, other, side, word]) => {
      row.append(element('span', { class: `place ${side}`, role: 'cell' }, text === null ? '' : String(data[side][at])));
      const cell = element('code', { class: `text ${side}${text === null ? ' absent' : ''}`, role: 'cell' });
      if (text === null && away) {
        cell.append(word, away.to === null ? away.label : element('a', { href: away.to }, away.label));
        cell.classList.add('elsewhere');
      } else if (isTwo) {
        const [start, middle, end] = differing(text, other);
        cell.append(start, ...(middle === '' ? [] : [element('mark', {}, middle)]), end);
      } else {
        cell.append(text ?? '');
      }
      row.append(cell);
    });
    return row;
  }

  /** Executions before and after, their change, and where there are times that of these. */
  numbers(at, edit) {
    const counts = this.file.counts(at);
    const cell = (classes, text) => element('span', { class: `number ${classes}`, role: 'cell' }, text);
    const change = counts === null ? 0 : Number(counts.change);
    const cells = [
      cell('wide was', counts === null || edit === 'a' ? '' : grouped(counts.before)),
      cell('wide is', counts === null || edit === 'r' ? '' : grouped(counts.after)),
      cell(`change ${changeClass(change, this.index.most)}`, change === 0 ? '' : signed(counts.change)),
    ];
    if (this.index.timed) {
      const { net = null, error, raw = '' } = this.file.time(at) ?? {};
      // What is within twice its error says nothing.
      const within = net !== null && Math.abs(net) <= 2 * error ? ' within' : '';
      cells.push(cell(`time estimate${within}`, net === null ? '' : `≈\u202f${megacycles(net)}`),
        cell(`time estimate${within}`, net === null ? '' : `± ${megacycles(error, '')}`), cell('time', raw));
    }
    return cells;
  }

  /** Goes to a row. */
  show(at, focus) {
    const row = this.rowAt(at);
    if (!row) return;
    this.goTo(row);
    if (focus) this.code.focus({ preventScroll: true });
  }

  /** The file that an address names, and what is to be shown of it; nothing where it names none. */
  locate(address) {
    const [, side, file, line] = /^#(before|after)-(\d+)-(\d+)$/.exec(address) ?? [];
    const [, whole] = /^#file-0-(\d+)$/.exec(address) ?? [];
    const number = Number(file ?? whole);
    if (!this.index.files[number]) return null;
    return {
      file: number,
      show: () => { if (line !== undefined) this.show(this.file.data[side].indexOf(Number(line)), true); },
    };
  }

  /** Goes to the next change, or the one before, from the marked line if it is in view. */
  jump(step) {
    const starts = this.file.changes();
    const marked = this.code.querySelector('.target');
    const [view, box] = [this.code, marked].map((it) => it?.getBoundingClientRect());
    const isInView = box && box.bottom > view.top && box.top < view.bottom;
    const at = isInView ? Number(marked.dataset.at) : this.firstInView() - (step > 0 ? 1 : 0);
    const next = step > 0 ? starts.find((start) => start > at) : starts.findLast((start) => start < at);
    if (next !== undefined) this.show(next, false);
  }

  /** The keys n and p go from change to change. */
  move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { n: 1, p: -1 }[event.key];
    if (step === undefined) return;
    this.jump(step);
    event.preventDefault();
  }
}

/** What is told of the files and functions of a comparison: by how much their executions grew. */
const changeBadge = (index) => {
  const of = (them) => Math.abs(Number(difference(them.before, them.after)));
  const most = index.files.reduce((largest, file) => Math.max(largest, of(file)), 0);
  return (file, place) => {
    const { before, after } = place === undefined
      ? file
      : { before: file.functions.before[place], after: file.functions.after[place] };
    const change = difference(before, after);
    return { text: signed(change), class: changeClass(Number(change), most), size: Math.abs(Number(change)) };
  };
};
