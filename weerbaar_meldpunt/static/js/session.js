/* Says in time that a session is about to end, and keeps it when somebody is still there. Without this file what was typed
   is asked for again after signing in, and kept all the same. Texts come from the page. */
'use strict';

(() => {
  const box = document.querySelector('[data-session-left]');
  if (!box) return;
  const WARN_MS = 120000;
  const text = box.querySelector('[data-session-text]');
  const button = box.querySelector('button');
  let end = 0;
  let typed = false;
  let over = false;
  let warned = false;

  const renew = (seconds) => {
    end = Date.now() + seconds * 1000;
    warned = false;
    if (!over) box.hidden = true;
  };
  renew(Number(box.dataset.sessionLeft));

  // Another tab of the same browser shares the session: what happens there counts here.
  const others = 'BroadcastChannel' in window ? new BroadcastChannel('meldpunt-session') : null;
  if (others) {
    others.addEventListener('message', (event) => renew(event.data));
    others.postMessage(Number(box.dataset.sessionLeft));
  }

  document.addEventListener('input', (event) => {
    if (event.target.closest('form')) typed = true;
  });

  button.addEventListener('click', async () => {
    try {
      const answer = await fetch(box.dataset.stay, {
        method: 'POST',
        body: new URLSearchParams({ csrf_token: box.dataset.token }),
      });
      if (!answer.ok) throw new Error('over');
      const seconds = Number(box.dataset.idle);
      renew(seconds);
      if (others) others.postMessage(seconds);
    } catch {
      end = Math.min(end, Date.now());
    }
  });

  const look = () => {
    if (over) return;
    const left = end - Date.now();
    if (left <= 0) {
      over = true;
      if (!typed) { // nothing to lose, and nobody else should read on
        window.location.reload();
        return;
      }
      text.textContent = box.dataset.over;
      button.hidden = true;
      box.hidden = false;
    } else if (left <= WARN_MS && !warned) {
      warned = true;
      text.textContent = box.dataset.soon;
      box.hidden = false;
    }
  };
  window.setInterval(look, 1000);
  document.addEventListener('visibilitychange', look);
})();
