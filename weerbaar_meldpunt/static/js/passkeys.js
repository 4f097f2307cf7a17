/* Passkeys: asks the browser to make one or to sign with one, and puts the answer in the form. The password and the codes
   work without this file. Texts come from the page; what is shown is set as text, never as markup. */
'use strict';

(() => {
  const toBytes = (text) => Uint8Array.from(
    atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0),
  );
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

  // What the server wrote as text, as the browser wants it. Not every browser can read it by itself yet.
  const readable = (options) => {
    const read = { ...options, challenge: toBytes(options.challenge) };
    if (options.user) read.user = { ...options.user, id: toBytes(options.user.id) };
    for (const list of ['allowCredentials', 'excludeCredentials']) {
      if (options[list]) read[list] = options[list].map((one) => ({ ...one, id: toBytes(one.id) }));
    }
    return read;
  };

  const answer = (credential) => {
    const { response } = credential;
    const said = { clientDataJSON: toText(response.clientDataJSON) };
    if (response.attestationObject) {
      said.attestationObject = toText(response.attestationObject);
      said.transports = response.getTransports ? response.getTransports() : [];
    } else {
      said.authenticatorData = toText(response.authenticatorData);
      said.signature = toText(response.signature);
      said.userHandle = response.userHandle ? toText(response.userHandle) : null;
    }
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response: said,
      clientExtensionResults: {},
      authenticatorAttachment: credential.authenticatorAttachment,
    });
  };

  document.querySelectorAll('[data-passkey]').forEach((button) => {
    const form = button.closest('form');
    const field = form.querySelector('input[name="passkey"]');
    const status = form.querySelector('[data-passkey-status]');
    button.addEventListener('click', async () => {
      status.textContent = '';
      if (!window.PublicKeyCredential || !navigator.credentials) {
        status.textContent = button.dataset.missing;
        return;
      }
      button.setAttribute('aria-disabled', 'true');
      try {
        const publicKey = readable(JSON.parse(button.dataset.options));
        const credential = button.dataset.passkey === 'create'
          ? await navigator.credentials.create({ publicKey })
          : await navigator.credentials.get({ publicKey });
        field.value = answer(credential);
        form.requestSubmit();
      } catch (fault) {
        status.textContent = fault.name === 'SecurityError' ? button.dataset.missing : button.dataset.failed;
      } finally {
        button.removeAttribute('aria-disabled');
      }
    });
    // Without another button, a browser does nothing at Enter.
    if (!form.querySelector('[type="submit"]')) {
      form.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' || event.target === button) return;
        event.preventDefault();
        button.click();
      });
    }
  });
})();
