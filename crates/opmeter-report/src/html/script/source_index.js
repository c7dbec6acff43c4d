// The files and functions beside a source view.

/** The most functions that are listed at once; the filter finds the others. */
const MOST_LISTED = 400;

/** A name as the list has room for: the end of a path says most. */
const endOf = (path) => {
  const parts = path.split('/');
  return path.length > 32 && parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : path;
};

class SourceIndex {
  /** `go` is called with the number of a file and a line of it, or none. */
  constructor(index, go) {
    this.index = index;
    this.go = go;
    this.search = element('input', {
      type: 'search', placeholder: 'find a file or function', 'aria-label': 'Find a file or function', spellcheck: 'false',
    });
    this.search.addEventListener('input', () => this.show());
    this.list = element('nav', { 'aria-label': 'Files and functions' });
    this.element = element('div', { class: 'index' }, this.search, this.list);
    const total = index.line_columns.find((column) => column.kind === 'share').total;
    this.part = (heat) => Number(heat) / Math.max(Number(total), 1);
    this.isEstimate = index.line_columns.some((column) => column.of === index.heat && column.estimate);
  }

  /** Lists files, and the functions of the one that is open, or what the filter finds. */
  show(open = this.open) {
    this.open = open;
    const text = this.search.value.trim().toLowerCase();
    this.list.replaceChildren(text === '' ? this.outline() : this.found(text));
  }

  entry(label, heat, current, go, shownLabel = endOf(label)) {
    const part = this.part(heat);
    const shown = `${this.isEstimate ? '≈\u202f' : ''}${percent(part)} %`;
    return element('button', { type: 'button', title: label, 'aria-current': current ? 'true' : undefined, onclick: go },
      element('span', { class: 'label' }, shownLabel),
      element('span', {
        class: `part heat-${heatOf(heat, this.index.files[0].heat)}${this.isEstimate ? ' estimate' : ''}`,
      }, shown));
  }

  outline() {
    return element('ul', {}, ...this.index.files.map((file, number) => {
      const isOpen = number === this.open;
      const item = element('li', { class: isOpen ? 'open' : undefined },
        this.entry(file.label, file.heat, isOpen, () => this.go(number)));
      if (isOpen) item.append(this.functions(file.functions.name.map((_, place) => [number, place])));
      return item;
    }));
  }

  functions(places, withFile = false) {
    const items = places.slice(0, MOST_LISTED).map(([number, place]) => {
      const { label, functions } = this.index.files[number];
      const name = withFile ? `${functions.name[place]} · ${label}` : functions.name[place];
      return element('li', {},
        this.entry(name, functions.heat[place], false, () => this.go(number, functions.line[place]),
          withFile ? `${functions.name[place]} · ${endOf(label)}` : name));
    });
    const rest = places.length - items.length;
    if (rest > 0) items.push(element('li', { class: 'rest' }, `… ${grouped(rest)} more; the filter finds them`));
    return element('ul', {}, ...items);
  }

  found(text) {
    const files = [];
    const functions = [];
    this.index.files.forEach((file, number) => {
      if (file.label.toLowerCase().includes(text)) files.push(number);
      file.functions.name.forEach((name, place) => {
        if (name.toLowerCase().includes(text)) functions.push([number, place]);
      });
    });
    const hottest = ([file, place]) => Number(this.index.files[file].functions.heat[place]);
    functions.sort((one, other) => hottest(other) - hottest(one));
    const list = this.functions(functions, true);
    list.prepend(...files.map((number) => element('li', {},
      this.entry(this.index.files[number].label, this.index.files[number].heat, false, () => this.go(number)))));
    if (list.childElementCount === 0) list.append(element('li', { class: 'rest' }, 'nothing has that name'));
    return list;
  }
}
