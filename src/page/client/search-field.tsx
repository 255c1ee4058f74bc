import type { Ref } from "preact";

interface SearchFieldProps {
  fieldRef: Ref<HTMLInputElement>;
  /** Includes the key that focuses the field. */
  placeholder: string;
  label: string;
  value: string;
  onValue: (value: string) => void;
}

/** A field whose text filters what is shown, with each letter. */
export function SearchField({ fieldRef, placeholder, label, value, onValue }: SearchFieldProps) {
  return (
    <input
      ref={fieldRef}
      type="search"
      class="search"
      placeholder={placeholder}
      aria-label={label}
      value={value}
      onInput={(event) => onValue(event.currentTarget.value)}
    />
  );
}
