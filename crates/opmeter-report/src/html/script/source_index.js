// The files and functions beside a source view.

/** The most functions that are listed at once; the filter finds the others. */
const MOST_LISTED = 400;

/** A name as the list has room for: the end of a path says most. */
const endOf = (path) => {
  const parts = path.split('/');
  return path.length > 32 && parts.length > 3 ? `…/${parts.slice(-2).join('/')}` : path;
};

class SourceIndex {
  /**
   * `files` has labels and functions; `badge` gives what is told of a file, or of a function by its place: a text, its
   * class, and what it is sorted by. `go` is called with the number of a file and a line of it, or none.
   */
  constructor(files, badge, go) {
    this.files = files;
    this.badge = badge;
    this.go = go;
    this.search = element('input', {
      type: 'search', placeholder: 'find a file or function', 'aria-label': 'Find a file or function', spellcheck: 'false',
    });
    this.search.addEventListener('input', () => this.show());
    this.list = element('nav', { 'aria-label': 'Files and functions' });
    this.element = element('div', { class: 'index' }, this.search, this.list);
  }

  /** Lists files, and the functions of the one that is open, or what the filter finds. */
  show(open = this.open) {
    this.open = open;
    const text = this.search.value.trim().toLowerCase();
    this.list.replaceChildren(text === '' ? this.outline() : this.found(text));
  }

  entry(label, badge, current, go, shownLabel = endOf(label)) {
    return element('button', { type: 'button', title: label, 'aria-current': current ? 'true' : undefined, onclick: go },
      element('span', { class: 'label' }, shownLabel),
      element('span', { class: `part ${badge.class}` }, badge.text));
  }

  outline() {
    return element('ul', {}, ...this.files.map((file, number) => {
      const isOpen = number === this.open;
      const item = element('li', { class: isOpen ? 'open' : undefined },
        this.entry(file.label, this.badge(file), isOpen, () => this.go(number)));
      if (isOpen) item.append(this.functions(file.functions.name.map((_, place) => [number, place])));
      return item;
    }));
  }

  functions(places, withFile = false) {
    const items = places.slice(0, MOST_LISTED).map(([number, place]) => {
      const file = this.files[number];
      const { label, functions } = file;
      const name = withFile ? `${functions.name[place]} · ${label}` : functions.name[place];
      return element('li', {},
        this.entry(name, this.badge(file, place), false, () => this.go(number, functions.line[place]),
          withFile ? `${functions.name[place]} · ${endOf(label)}` : name));
    });
    const rest = places.length - items.length;
    if (rest > 0) items.push(element('li', { class: 'rest' }, `… ${grouped(rest)} more; the filter finds them`));
    return element('ul', {}, ...items);
  }

  found(text) {
    const files = [];
    const functions = [];
    this.files.forEach((file, number) => {
      if (file.label.toLowerCase().includes(text)) files.push(number);
      file.functions.name.forEach((name, place) => {
        if (name.toLowerCase().includes(text)) functions.push([number, place]);
      });
    });
    const most = ([file, place]) => this.badge(this.files[file], place).size;
    functions.sort((one, other) => most(other) - most(one));
    const list = this.functions(functions, true);
    list.prepend(...files.map((number) => element('li', {},
      this.entry(this.files[number].label, this.badge(this.files[number]), false, () => this.go(number)))));
    if (list.childElementCount === 0) list.append(element('li', { class: 'rest' }, 'nothing has that name'));
    return list;
  }
}

/** What is told of the files and functions of a recording: their part of all that ran, or of all time. */
const shareBadge = (index) => {
  const total = Number(index.line_columns.find((column) => column.kind === 'share').total);
  const isEstimate = index.line_columns.some((column) => column.of === index.heat && column.estimate);
  return (file, place) => {
    const heat = place === undefined ? file.heat : file.functions.heat[place];
    const part = Number(heat) / Math.max(total, 1);
    return {
      text: `${isEstimate ? '≈\u202f' : ''}${percent(part)} %`,
      class: `heat-${heatOf(heat, index.files[0].heat)}${isEstimate ? ' estimate' : ''}`,
      size: Number(heat),
    };
  };
};
