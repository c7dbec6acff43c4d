// What all parts of the script use.

/** An element with attributes and children; texts become text, never markup. */
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
};

/** The data of one of the page's data elements. */
const dataOf = (id) => JSON.parse(document.getElementById(id).textContent);

/** A whole number, or one as digits where it is too large to be exact, with a comma between groups of three digits. */
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

const percent = (part) => (part * 100).toFixed(2);

/** The step of the scale of colours, from 0 for nothing to 9 for the most. */
const heatOf = (number, most) => {
  const part = Number(most) > 0 ? Number(number) / Number(most) : 0;
  return part > 0 ? Math.ceil(Math.sqrt(Math.min(part, 1)) * 9) : 0;
};

const whenIdle = window.requestIdleCallback
  ? (work) => requestIdleCallback(work, { timeout: 500 })
  : (work) => setTimeout(work, 20);

/** Switches between the light and the dark theme, and remembers which. */
const themeSwitch = () => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem('opmeter-theme'); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem('opmeter-theme', theme); } catch { /* It is asked for again. */ } };
  const isDark = () => root.dataset.theme
    ? root.dataset.theme === 'dark'
    : matchMedia('(prefers-color-scheme: dark)').matches;
  const button = element('button', { type: 'button', id: 'theme' });
  const show = () => { button.textContent = isDark() ? 'Light theme' : 'Dark theme'; };
  if (['light', 'dark'].includes(stored())) root.dataset.theme = stored();
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    store(root.dataset.theme);
    show();
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', show);
  show();
  return button;
};
