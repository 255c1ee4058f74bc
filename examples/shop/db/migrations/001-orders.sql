CREATE TABLE orders (
  id serial PRIMARY KEY,
  skus text[] NOT NULL,
  gross_cents integer NOT NULL
);
