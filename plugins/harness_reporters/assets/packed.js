"use strict";
// What stands in the page compressed: text of a script element, in base64 of gzip.
const canInflate = "DecompressionStream" in window;
const inflated = (element) => {
  const bytes = Uint8Array.from(atob(element.textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
};
