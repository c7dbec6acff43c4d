// What views of files have in common: rows in chunks, which are made when they come near, and the rest when there is time.

/** The rows of a chunk. */
const CHUNK = 100;

/** A file's rows in a frame that scrolls. What is shown is told by the views that extend it. */
class FileView {
  constructor() {
    this.files = new Map();
    this.element = element('div', { class: 'file' });
    this.number = null;
  }

  /** Shows a file, by its number, unless it is shown already. */
  open(number) {
    if (this.number === number) return;
    this.number = number;
    if (!this.files.has(number)) this.files.set(number, this.read(number));
    this.file = this.files.get(number);
    this.code = element('div', { class: 'code', tabindex: '0', role: 'table', 'aria-label': `Source of ${this.label()}` });
    this.code.addEventListener('keydown', (event) => this.move(event));
    this.near = new IntersectionObserver((entries) => {
      entries.filter((entry) => entry.isIntersecting).forEach(({ target }) => this.fill(target));
    }, { root: this.code, rootMargin: '600px' });
    this.setWidths();
    this.element.replaceChildren(...this.above(), this.code);
    this.showRows(this.content());
  }

  /** Puts these chunks, and what stands between them, below the heads of the columns. */
  showRows(content) {
    this.code.replaceChildren(this.heads(), ...content);
    this.watch();
  }

  /** Makes chunks when they come near, and when there is time. */
  watch() {
    this.chunks = [...this.code.querySelectorAll('.chunk')];
    this.chunks.forEach((chunk) => this.near.observe(chunk));
    this.fillWhenIdle(this.chunks, 0);
  }

  /** Chunks of the rows from one place up to another, each as high as it will be. */
  chunksOf(from, to) {
    const chunks = [];
    for (let first = from; first < to; first += CHUNK) {
      const end = Math.min(first + CHUNK, to);
      const chunk = element('div', { class: 'chunk', role: 'rowgroup', 'data-first': first, 'data-end': end });
      chunk.style.setProperty('--lines', end - first);
      chunks.push(chunk);
    }
    return chunks;
  }

  fill(chunk) {
    if (chunk.childElementCount > 0) return;
    const [first, end] = [Number(chunk.dataset.first), Number(chunk.dataset.end)];
    chunk.append(...Array.from({ length: end - first }, (_, at) => this.row(first + at)));
  }

  fillWhenIdle(chunks, next) {
    whenIdle(() => {
      // Others may be shown by now.
      if (chunks !== this.chunks || next >= chunks.length) return;
      this.fill(chunks[next]);
      this.fillWhenIdle(chunks, next + 1);
    });
  }

  fillAll() {
    this.chunks?.forEach((chunk) => this.fill(chunk));
  }

  /** The element of the row at a place, which is made if need be. */
  rowAt(place) {
    const chunk = this.chunks.find(({ dataset }) => place >= Number(dataset.first) && place < Number(dataset.end));
    if (!chunk) return null;
    this.fill(chunk);
    return chunk.querySelector(`:scope > [data-at="${place}"]`);
  }

  /** Goes to a row: in the middle of the frame, marked, with what stands above the frame in view. */
  goTo(row) {
    this.code.querySelectorAll('.target').forEach((other) => other.classList.remove('target'));
    row.classList.add('target');
    this.center(row);
    // Lines that were not laid out before may be higher than was thought.
    requestAnimationFrame(() => this.center(row));
  }

  center(row) {
    const [frame, box] = [this.code, row].map((it) => it.getBoundingClientRect());
    this.code.scrollTop += box.top + box.height / 2 - (frame.top + frame.height / 2);
    const { top, bottom } = this.element.getBoundingClientRect();
    const bar = document.querySelector('header.bar').getBoundingClientRect().bottom;
    if (top < bar || bottom > innerHeight) this.element.scrollIntoView({ block: 'start' });
  }

  /** The place of the first row that is in view. */
  firstInView() {
    const top = this.code.getBoundingClientRect().top + this.code.firstChild.offsetHeight;
    const chunk = this.chunks.find((one) => one.getBoundingClientRect().bottom > top);
    this.fill(chunk);
    const rows = [...chunk.querySelectorAll(':scope > [data-at]')];
    return Number((rows.find((one) => one.getBoundingClientRect().bottom > top) ?? rows[0]).dataset.at);
  }
}
