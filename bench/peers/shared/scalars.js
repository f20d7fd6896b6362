// How scalars are written.
export const serializers = {
  DateTime: (value) => value.toISOString(),
  URL: String,
  Decimal: String,
};
