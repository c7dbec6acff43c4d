// What happens when the page opens.

const root = document.documentElement;
root.classList.add('scripted');
document.querySelector('.controls').append(themeSwitch());
// The choices name columns by what their heads say, which sorting puts into buttons.
document.querySelectorAll('.table').forEach(makeFilterable);
document.querySelectorAll('table.data').forEach(makeSortable);

/** The source views by the place of their recording; that of a comparison is the only one of its page. */
const viewers = new Map();

/** Puts a view and the list of its files into their frame. */
const addViewer = (frame, place, view, files, badge) => {
  const outline = new SourceIndex(files, badge, (file, line) => {
    open(place, file);
    if (line !== undefined) view.show(line, true);
  });
  frame.append(outline.element, view.element);
  viewers.set(place, { view, outline, frame });
};

const index = document.getElementById('index') ? dataOf('index') : { recordings: [] };
document.querySelectorAll('.viewer').forEach((frame) => {
  if (frame.classList.contains('aligned')) {
    const aligned = dataOf('aligned');
    addViewer(frame, 0, new ComparisonView(aligned), aligned.files, changeBadge(aligned));
    return;
  }
  const place = Number(frame.dataset.recording);
  const recording = index.recordings[place];
  addViewer(frame, place, new SourceView(place, recording), recording.files, shareBadge(recording));
});

/** Opens a file in the source view of a recording. */
const open = (place, file) => {
  const { view, outline } = viewers.get(place);
  view.open(file);
  outline.show(file);
};

/** Opens the first file, the hottest, where none is open. */
const openSome = (place) => {
  const viewer = viewers.get(place);
  if (viewer && viewer.view.number === null) open(place, 0);
};

const chooser = document.getElementById('recording');

/** Shows one of several recordings. */
const choose = (place) => {
  if (chooser === null) return;
  chooser.value = String(place);
  document.querySelectorAll('.of-recording').forEach((part) => {
    part.hidden = Number(part.dataset.recording) !== place;
  });
  openSome(place);
};
chooser?.addEventListener('change', () => choose(Number(chooser.value)));

/** Goes to the line or file that the address names. */
const follow = () => {
  for (const [place, viewer] of viewers) {
    const located = viewer.view.locate(location.hash);
    if (located === null) continue;
    choose(place);
    open(place, located.file);
    viewer.frame.scrollIntoView({ block: 'start' });
    located.show();
  }
};
addEventListener('hashchange', follow);
// A link to where one is already leads there again.
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (link && link.getAttribute('href') === location.hash) follow();
});

const present = () => (chooser === null ? 0 : Number(chooser.value));
addEventListener('beforeprint', () => {
  openSome(present());
  viewers.get(present())?.view.fillAll();
});

choose(0);
follow();
whenIdle(() => openSome(present()));
