import { useEffect, useState } from 'react';
import { useQuery } from '@apollo/client/react';
import { follow, mint, operations, type FeedQuery } from 'landfall-apollo';

import { Avatar, Empty, Loading, When } from './parts.js';
import { usePhone, useSentinel } from './phone.js';

export function Feed() {
  const { data, loading, fetchMore } = useQuery(operations.Feed, { fetchPolicy: 'cache-and-network' });
  const feed = data?.viewer?.feed;
  const end = useSentinel(() => {
    if (feed?.pageInfo.hasNextPage && !loading) void fetchMore({ variables: { after: feed.pageInfo.endCursor } }).catch(() => undefined);
  });
  return (
    <>
      <Composer />
      {!feed && <Loading />}
      {feed?.edges.map(({ node }) => <PostCard key={node.id} post={node} />)}
      {feed?.edges.length === 0 && <Empty>Nobody you follow has posted yet.</Empty>}
      <div ref={end} />
    </>
  );
}

function Composer() {
  const [text, setText] = useState('');
  const { act } = usePhone();
  const submit = () => {
    if (!text.trim()) return;
    act('CreatePost', { id: mint('post'), text: text.trim(), visibility: 'PUBLIC' });
    setText('');
  };
  return (
    <form className="card composer" onSubmit={(event) => (event.preventDefault(), submit())}>
      <textarea id="composer" value={text} rows={2} placeholder="What is new?" onChange={(event) => setText(event.target.value)} />
      <button id="publish" disabled={!text.trim()}>Post</button>
    </form>
  );
}

type Post = NonNullable<FeedQuery['viewer']>['feed']['edges'][number]['node'];

function PostCard({ post }: { post: Post }) {
  const { act } = usePhone();
  const [open, setOpen] = useState(false);
  const liked = post.reactionSummary.viewerReaction !== null;
  const pending = post.version === 0;
  return (
    <article className={pending ? 'card pending' : 'card'} data-post={post.id}>
      <header>
        <Avatar name={post.author?.name ?? ''} url={post.author?.avatar?.thumbnailUrl} />
        <div>
          <strong>{post.author?.name ?? 'Deleted'}</strong>
          <small><When at={post.createdAt} />{pending && ' · waiting to be sent'}</small>
        </div>
        {post.viewerCan.delete && !pending && (
          <button className="quiet" aria-label="Delete" onClick={() => act('DeletePost', { postId: post.id })}>✕</button>
        )}
      </header>
      <p>{post.textPreview}</p>
      {post.media[0] && (
        <img
          className="picture"
          loading="lazy"
          src={post.media[0].url}
          alt={post.media[0].altText ?? ''}
          style={{ background: post.media[0].dominantColor ?? undefined, aspectRatio: ratio(post.media[0]) }}
        />
      )}
      <footer>
        <button
          className={liked ? 'like on' : 'like'}
          aria-pressed={liked}
          onClick={() => act('SetReaction', { subjectId: post.id, kind: liked ? null : 'LIKE' })}
        >
          {liked ? '♥' : '♡'} {post.reactionSummary.count}
        </button>
        <button className="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
          ✎ {post.commentCount}
        </button>
      </footer>
      {open && <Thread postId={post.id} />}
    </article>
  );
}

function ratio({ width, height }: { width: number | null; height: number | null }): string {
  return width && height ? `${width} / ${height}` : '4 / 3';
}

/** The comments of an open post, live while it is open. */
function Thread({ postId }: { postId: string }) {
  const { client, act } = usePhone();
  const [text, setText] = useState('');
  const { data } = useQuery(operations.PostWithComments, { variables: { id: postId } });
  useEffect(() => follow(client, postId), [client, postId]);
  return (
    <section className="thread">
      {!data && <Loading rows={1} />}
      {data?.post?.comments.edges.map(({ node }) => (
        <p key={node.id} className={node.version === 0 ? 'pending' : undefined}>
          <strong>{node.author?.name ?? 'Deleted'}</strong> {node.text}
        </p>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) act('CreateComment', { id: mint('comment'), postId, text: text.trim() });
          setText('');
        }}
      >
        <input value={text} placeholder="Say something" onChange={(event) => setText(event.target.value)} />
      </form>
    </section>
  );
}
