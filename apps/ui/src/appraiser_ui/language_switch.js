// Names the language of the document, for screen readers and hyphenation, and keeps the choice for a year.
export default function ({ data }) {
  document.documentElement.lang = data.language;
  document.cookie = `${data.cookie}=${data.language}; path=/; max-age=31536000; SameSite=Lax`;
}
