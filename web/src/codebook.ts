// The codebook's search answers while one types. The form still works without this: it asks the server.
export function liveCodebook(place: HTMLElement): void {
  const input = place.parentElement?.querySelector<HTMLInputElement>('form input[type="search"]');
  if (!input) return;
  const fold = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
  const fields = [...place.children].map(element => ({ element: element as HTMLElement, text: fold(element.textContent ?? '') }));
  // The server may have left fields out for the word it was sent: then it has to be asked for another.
  if (new URLSearchParams(location.search).get('q')) return;
  input.addEventListener('input', () => {
    const words = fold(input.value).split(/\s+/).filter(Boolean);
    fields.forEach(({ element, text }) => (element.hidden = !words.every(word => text.includes(word))));
  });
}
