// The view of a file of a recording: lines with their numbers, and their bytecode below.

class SourceView extends FileView {
  /** A view of files of a recording: `place` is its own, `index` what the page says of it. */
  constructor(place, index) {
    super();
    this.place = place;
    this.index = index;
  }

  read(number) {
    return new SourceFile(dataOf(`source-${this.place}-${number}`));
  }

  label() {
    return this.index.files[this.number].label;
  }

  /** What stands above the lines. */
  above() {
    const warning = this.file.warning === null ? [] : [element('div', { class: 'warnings', role: 'note' },
      element('p', {}, element('strong', {}, 'Warning: '), this.file.warning))];
    return [this.fileHead(), ...warning];
  }

  fileHead() {
    const open = element('button', { type: 'button', class: 'open-all' }, 'Open all bytecode');
    open.addEventListener('click', () => {
      const isOpen = open.textContent.startsWith('Close');
      this.fillAll();
      this.code.querySelectorAll('button.place').forEach((button) => this.toggle(button, !isOpen));
      open.textContent = isOpen ? 'Open all bytecode' : 'Close all bytecode';
    });
    const estimated = this.index.line_columns.some((column) => column.estimate);
    return element('div', { class: 'file-head' }, element('h4', {}, this.label()),
      element('p', {}, `${grouped(this.file.lines.length)} lines${estimated ? ' · ≈ italic: estimated' : ''}`), open);
  }

  /** Columns as wide as the widest of their numbers. */
  setWidths() {
    const numbers = this.file.data.line_numbers;
    const widths = this.index.line_columns.map((column) => {
      const widest = numbers[column.of].reduce((most, _, place) =>
        Math.max(most, shownText(column, numbers, place).length), Math.max(...column.name.split(' ').map((word) => word.length)));
      return `calc(${widest}ch + 0.7rem)`;
    });
    const places = `calc(${Math.max(4, String(this.file.lines.at(-1) ?? 0).length) + 2}ch + 0.5rem)`;
    const narrow = this.index.line_columns.map((column) => this.isNarrow(column));
    this.code.style.setProperty('--columns', [...widths, places, 'minmax(0, 1fr)'].join(' '));
    this.code.style.setProperty('--narrow-columns',
      [...widths.filter((_, place) => narrow[place]), places, 'minmax(0, 1fr)'].join(' '));
  }

  /** Whether a column is shown where there is little room: the executions, or the time. */
  isNarrow(column) {
    return column.of === this.index.heat && column.kind !== 'share';
  }

  numberCell(column, text, heat) {
    const classes = ['number'];
    if (column.estimate) classes.push('estimate');
    if (!this.isNarrow(column)) classes.push('wide');
    if (heat !== undefined) classes.push(`heat-${heat}`);
    return element('span', { class: classes.join(' '), role: 'cell' }, text);
  }

  heads() {
    const heads = this.index.line_columns.map((column) => {
      const head = this.numberCell(column, column.name);
      head.setAttribute('role', 'columnheader');
      return head;
    });
    return element('div', { class: 'row heads', role: 'row' }, ...heads,
      element('span', { class: 'place', role: 'columnheader' }, 'line'),
      element('span', { class: 'text', role: 'columnheader' }, 'source'));
  }

  content() {
    const chunks = this.chunksOf(0, this.file.lines.length);
    const executions = this.file.data.line_numbers[0] ?? [];
    chunks.forEach((chunk) => {
      const lines = this.file.lines.slice(Number(chunk.dataset.first), Number(chunk.dataset.end));
      if (lines.some((line) => Number(executions[this.file.places.get(line)] ?? 0) > 0)) return;
      chunk.classList.add('idle');
      chunk.dataset.idle = `lines ${lines[0]} to ${lines.at(-1)}: nothing ran`;
    });
    return chunks;
  }

  /** Not what addresses name: a browser would go there by itself, before the view is there. */
  idOf(line) {
    return `row-${this.place}-${this.number}-${line}`;
  }

  row(at) {
    const line = this.file.lines[at];
    const place = this.file.places.get(line);
    const row = element('div', { class: 'row', role: 'row', id: this.idOf(line), 'data-line': line, 'data-at': at });
    const columns = this.index.line_columns;
    const name = line === 0 ? 'none' : String(line);
    if (place === undefined) {
      row.append(...columns.map((column) => this.numberCell(column, '')),
        element('span', { class: 'place', role: 'cell' }, name));
    } else {
      const numbers = this.file.data.line_numbers;
      const heat = heatOf(numbers[this.index.heat][place], this.index.most);
      if (Number(numbers[0][place]) === 0) row.classList.add('idle');
      row.append(...columns.map((column) => this.numberCell(column, shownText(column, numbers, place),
        column.of === this.index.heat ? heat : undefined)));
      const hasCode = this.file.parts.has(place);
      const button = element(hasCode ? 'button' : 'span', hasCode ? {
        class: 'place', type: 'button', tabindex: '-1', 'aria-expanded': 'false',
        'aria-label': `line ${name}: bytecode`, onclick: () => this.toggle(button),
      } : { class: 'place' }, name);
      row.append(element('span', { class: 'of-place', role: 'cell' }, button));
    }
    row.append(element('code', { class: 'text', role: 'cell' }, this.file.text(line)));
    return row;
  }

  /** Opens or closes the bytecode below a line. */
  toggle(button, open = button.getAttribute('aria-expanded') !== 'true') {
    if (open === (button.getAttribute('aria-expanded') === 'true')) return;
    button.setAttribute('aria-expanded', String(open));
    const row = button.closest('.row');
    if (open) row.after(this.bytecode(Number(row.dataset.line)));
    else row.nextElementSibling.remove();
  }

  bytecode(line) {
    const { data, offsets, parts, places } = this.file;
    const found = parts.get(places.get(line));
    const byName = new Map(this.index.instruction_columns.map((column) => [column.name, column]));
    const cells = (of) => this.index.line_columns.map((column) => this.numberCell(column, of(byName.get(column.name))));
    const rows = found.flatMap((part) => {
      const heads = found.length < 2 ? [] : [element('div', { class: 'row function', role: 'row' },
        ...cells(() => ''), element('span', { class: 'place', role: 'cell' }),
        element('code', { class: 'text', role: 'cell' }, part.function))];
      for (let at = part.first; at < part.end; at += 1) {
        heads.push(element('div', { class: 'row', role: 'row' },
          ...cells((column) => (column ? shownText(column, data.instruction_numbers, at) : '')),
          element('span', { class: 'place', role: 'cell' }),
          element('code', { class: 'text', role: 'cell' },
            element('span', { class: 'offset' }, String(offsets[at])), ' ',
            element('span', { class: 'opcode' }, data.opcodes[data.opcode[at]]), ' ',
            element('span', { class: 'argument' }, String(data.argument[at])))));
      }
      return heads;
    });
    return element('div', { class: 'bytecode' }, ...rows);
  }

  /** Goes to a line; with `focus` the keyboard goes there too. */
  show(line, focus) {
    const row = this.rowAt(this.file.lines.indexOf(line));
    if (!row) return;
    this.goTo(row);
    if (focus) (row.querySelector('button.place') ?? this.code).focus({ preventScroll: true });
  }

  /** The file that an address names, and what is to be shown of it; nothing where it names none of this recording. */
  locate(address) {
    const [, kind, place, file, line] = /^#(line|file)-(\d+)-(\d+)(?:-(\d+))?$/.exec(address) ?? [];
    if (!kind || Number(place) !== this.place || !this.index.files[Number(file)]) return null;
    return { file: Number(file), show: () => { if (line !== undefined) this.show(Number(line), true); } };
  }

  /** The arrow keys go from line to line; right and left open and close the bytecode. */
  move(event) {
    const button = event.target.closest('button.place');
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'ArrowRight' && button) this.toggle(button, true);
    else if (event.key === 'ArrowLeft' && button) this.toggle(button, false);
    else if (step === undefined) return;
    else {
      const next = this.next(button, step);
      if (!next) return;
      next.focus({ preventScroll: true });
      next.scrollIntoView({ block: 'nearest' });
    }
    event.preventDefault();
  }

  /** The next line that has bytecode; from no line, the first that is in view. */
  next(button, step) {
    const { lines, parts, places } = this.file;
    let at = button ? Number(button.closest('.row').dataset.at) + step : this.firstInView();
    for (; at >= 0 && at < lines.length; at += step) {
      if (parts.has(places.get(lines[at]))) return this.rowAt(at).querySelector('button.place');
    }
    return null;
  }
}
