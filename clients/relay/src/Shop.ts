import { graphql } from 'relay-runtime';

export const ShopQuery = graphql`
  query ShopQuery($query: String, $first: Int) { ...Shop_products @arguments(query: $query, first: $first) }
`;

export const Shop_products = graphql`
  fragment Shop_products on Query
  @argumentDefinitions(query: { type: "String" }, first: { type: "Int", defaultValue: 20 }, after: { type: "String" })
  @refetchable(queryName: "ShopProductsQuery") {
    searchProducts(filter: {query: $query}, first: $first, after: $after) @connection(key: "Shop_searchProducts") {
      totalCount
      edges { node { id name brand } }
    }
  }
`;
