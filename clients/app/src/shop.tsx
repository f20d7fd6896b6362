import { useDeferredValue, useState } from 'react';
import { useQuery } from '@apollo/client/react';
import { operations, type ProductsQuery } from 'landfall-apollo';

import { Empty, Loading } from './parts.js';
import { useSentinel } from './phone.js';

const SHORTEST_QUERY = 2;

export function Shop() {
  const [typed, setTyped] = useState('');
  const words = useDeferredValue(typed.trim());
  const query = words.length >= SHORTEST_QUERY ? words : null;
  const { data, previousData, fetchMore } = useQuery(operations.Products, { variables: { query } });
  const found = (data ?? previousData)?.searchProducts;
  const end = useSentinel(() => {
    if (found?.pageInfo.hasNextPage) void fetchMore({ variables: { after: found.pageInfo.endCursor } }).catch(() => undefined);
  });
  return (
    <>
      <input id="search" className="card search" type="search" value={typed} placeholder="Search supplements" onChange={(event) => setTyped(event.target.value)} />
      {found && <p className="count">{found.totalCount}{found.totalIsLowerBound && '+'} products</p>}
      {!found && <Loading />}
      {found?.edges.length === 0 && <Empty>Nothing matches.</Empty>}
      <div className="grid">{found?.edges.map(({ node }) => <Tile key={node.id} product={node} />)}</div>
      <div ref={end} />
    </>
  );
}

const STOCK: Record<string, string> = { IN_STOCK: 'In stock', OUT_OF_STOCK: 'Sold out', BACKORDERED: 'On order', DISCONTINUED: 'No longer made' };

function Tile({ product }: { product: ProductsQuery['searchProducts']['edges'][number]['node'] }) {
  const { min } = product.priceRange;
  const { status, remaining } = product.availability;
  const price = new Intl.NumberFormat('en', { style: 'currency', currency: min.currencyCode }).format(Number(min.amount));
  return (
    <article className="card tile" data-product={product.id}>
      {product.labelImage && (
        <img loading="lazy" src={product.labelImage.url} alt={product.labelImage.altText ?? ''} style={{ background: product.labelImage.dominantColor ?? undefined }} />
      )}
      <strong>{product.name}</strong>
      <small>{product.brand} · {product.servingsPerContainer} servings</small>
      <span className="aside">
        <b>{price}</b>
        <small className={status === 'LOW_STOCK' ? 'low' : undefined}>{status === 'LOW_STOCK' ? `Only ${remaining} left` : STOCK[status]}</small>
      </span>
    </article>
  );
}
