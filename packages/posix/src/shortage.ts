const shortages = {
  ENFILE: /ENFILE|Too many open files in system/i,
  EMFILE: /EMFILE|Too many open files/i,
  ENOMEM: /ENOMEM|Cannot allocate memory/i,
};

/** What this process or the machine has too little of, which passes: the dynamic linker says it in words only. */
export function shortageIn(text: string): string | undefined {
  return Object.entries(shortages).find(([, words]) => words.test(text))?.[0];
}
