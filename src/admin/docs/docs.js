// The API's pages: a filter over the endpoints, and the form that signs in. Both pages work without it, but for the form.
'use strict';

const filter = document.getElementById('filter');
filter?.addEventListener('input', () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of document.querySelectorAll('section')) {
    let shown = 0;
    for (const op of section.querySelectorAll('.op')) {
      const text = op.textContent.toLowerCase();
      op.hidden = !words.every((word) => text.includes(word));
      if (!op.hidden) shown++;
    }
    section.hidden = shown === 0;
  }
});

const form = document.getElementById('login');
form?.addEventListener('submit', async (event) => {
  event.preventDefault();
  const said = document.getElementById('said');
  const button = form.querySelector('button');
  const { username, password } = Object.fromEntries(new FormData(form));
  said.textContent = '';
  button.disabled = true;
  try {
    const reply = await fetch('/admin/auth/login', {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ username, password }),
    });
    if (reply.ok) {
      location.reload();
      return;
    }
    const body = await reply.json().catch(() => ({}));
    said.textContent = body.detail ?? `The server answered ${reply.status}.`;
  } catch {
    said.textContent = 'The server cannot be reached.';
  }
  button.disabled = false;
});
