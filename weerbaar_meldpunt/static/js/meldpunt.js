/* What is kinder with a script. Every page works without this file: nothing here may be the only way to do a thing.
   Texts come from the page, so that they are translated there; what is shown is set as text, never as markup. */
'use strict';

(() => {
  const each = (selector, act) => document.querySelectorAll(selector).forEach(act);
  const ESCAPE_TWICE_MS = 1000;
  const FORM_BUSY_MS = 15000;
  let leaving = false; // no kind question may stand between somebody and the way out

  // --- Snel weg: the link, or Escape twice. The address does not stay in the history. --------------------------------
  const exit = document.querySelector('[data-quick-exit]');

  const leave = () => {
    leaving = true;
    document.title = ' ';
    document.body.hidden = true; // nothing of us is on the screen while the next page loads
    window.location.replace(exit.href);
  };

  if (exit) {
    let last = -Infinity;
    exit.addEventListener('click', (event) => {
      event.preventDefault();
      leave();
    });
    document.addEventListener('keydown', (event) => {
      if (event.isComposing || event.repeat) return;
      if (event.key !== 'Escape') {
        last = -Infinity;
      } else if (event.timeStamp - last < ESCAPE_TWICE_MS) {
        event.preventDefault();
        leave();
      } else {
        last = event.timeStamp;
      }
    }, true);
  }

  // A page that the browser kept in memory must not come back with somebody's case on it.
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) window.location.reload();
  });

  each('[data-needs-script]', (element) => { element.hidden = false; });
  each('[data-focus]', (element) => element.focus());

  // --- Forms: do not lose what was typed, do not send twice. ----------------------------------------------------------
  const changed = new Set();
  const sent = new WeakMap();
  each('form[data-unsent]', (form) => changed.add(form)); // what came back refused is typed, and not sent

  document.addEventListener('input', (event) => {
    const form = event.target.closest('form[data-keep]');
    if (form) changed.add(form);
  });

  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (Date.now() - (sent.get(form) ?? -Infinity) < FORM_BUSY_MS) {
      event.preventDefault();
      return;
    }
    // Words in another form would be lost: the browser asks, and who stays finds every button as it was.
    if (!leaving && [...changed].some((other) => other !== form)) return;
    sent.set(form, Date.now());
    changed.delete(form);
    if (form.method === 'post') event.submitter?.setAttribute('aria-disabled', 'true');
    window.setTimeout(() => event.submitter?.removeAttribute('aria-disabled'), FORM_BUSY_MS);
  });

  window.addEventListener('beforeunload', (event) => {
    if (changed.size && !leaving) event.preventDefault();
  });

  // --- Files: show what was chosen, and what is too large, before it is sent. -------------------------------------------
  const size = (bytes) => {
    const units = ['bytes', 'kB', 'MB', 'GB'];
    let n = bytes;
    let unit = 0;
    while (n >= 1000 && unit < units.length - 1) {
      n /= 1000;
      unit += 1;
    }
    const digits = unit > 0 && n < 10 ? 1 : 0;
    return `${n.toLocaleString(document.documentElement.lang, { maximumFractionDigits: digits })} ${units[unit]}`;
  };

  each('[data-files-of]', (list) => {
    const input = document.getElementById(list.dataset.filesOf);
    const most = Number(input.dataset.maxBytes) || Infinity;
    const show = () => {
      list.replaceChildren(...Array.from(input.files, (file) => {
        const row = document.createElement('li');
        const name = document.createElement('bdi'); // a name may be written from right to left
        const note = document.createElement('span');
        name.textContent = file.name;
        note.textContent = file.size > most ? `${size(file.size)}, ${input.dataset.tooLarge}` : size(file.size);
        note.className = file.size > most ? 'too-large' : 'muted';
        row.append(name, note);
        return row;
      }));
      list.hidden = input.files.length === 0;
    };
    input.addEventListener('change', show);
    show();
  });

  // --- Codes: copy and print. --------------------------------------------------------------------------------------------
  each('[data-copy]', (button) => {
    if (!navigator.clipboard) {
      button.hidden = true;
      return;
    }
    const status = button.parentElement.querySelector('[data-copy-status]');
    button.addEventListener('click', async () => {
      const text = document.getElementById(button.dataset.copy).textContent.replace(/\s+/g, '');
      await navigator.clipboard.writeText(text);
      if (status) status.textContent = button.dataset.copied;
    });
  });

  each('[data-print]', (button) => button.addEventListener('click', () => window.print()));
})();
