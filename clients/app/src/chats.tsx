import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useQuery } from '@apollo/client/react';
import { followChat, mint, operations, type ChatsQuery } from 'landfall-apollo';

import { Avatar, Empty, Loading, When } from './parts.js';
import { session, usePhone, useSentinel } from './phone.js';

export function Chats() {
  const [open, setOpen] = useState<string | null>(null);
  const { data, fetchMore } = useQuery(operations.Chats, { fetchPolicy: 'cache-and-network' });
  const chats = data?.viewer?.chats;
  const end = useSentinel(() => {
    if (chats?.pageInfo.hasNextPage) void fetchMore({ variables: { after: chats.pageInfo.endCursor } }).catch(() => undefined);
  });
  if (open) return <Thread id={open} close={() => setOpen(null)} />;
  if (!chats) return <Loading rows={6} />;
  if (!chats.edges.length) return <Empty>No chats yet.</Empty>;
  return (
    <>
      <div className="card list">
        {chats.edges.map(({ node }) => <Row key={node.id} chat={node} open={() => setOpen(node.id)} />)}
      </div>
      <div ref={end} />
    </>
  );
}

function Row({ chat, open }: { chat: NonNullable<ChatsQuery['viewer']>['chats']['edges'][number]['node']; open: () => void }) {
  return (
    <button className="row" data-chat={chat.id} onClick={open}>
      <Avatar name={chat.peer.name} url={chat.peer.avatar?.thumbnailUrl} />
      <span>
        <strong>{chat.peer.name}</strong>
        <small>{chat.preview}</small>
      </span>
      <span className="aside">
        <When at={chat.lastActivityAt} />
        {chat.unreadCount > 0 && <b className="badge">{chat.unreadCount}</b>}
      </span>
    </button>
  );
}

function Thread({ id, close }: { id: string; close: () => void }) {
  const { client, act } = usePhone();
  const [text, setText] = useState('');
  const { data, fetchMore } = useQuery(operations.ChatThread, { variables: { id }, fetchPolicy: 'cache-and-network' });
  const chat = data?.chat;
  const last = chat?.messages.edges.at(-1)?.node;
  const bottom = useRef<HTMLDivElement>(null);

  useEffect(() => followChat(client, id), [client, id]);
  useLayoutEffect(() => {
    bottom.current?.scrollIntoView();
  }, [last?.id]);
  useEffect(() => {
    if (last?.createdAt && last.sender.id !== session.userId) act('MarkChatRead', { chatId: id, upToSequence: last.sequence });
  }, [last?.id]);

  const send = () => {
    if (!text.trim()) return;
    act('SendMessage', { id: mint('message'), chatId: id, text: text.trim(), sentAt: new Date().toISOString() });
    setText('');
  };
  return (
    <section className="chat">
      <header className="card bar">
        <button className="quiet" aria-label="Back" onClick={close}>←</button>
        <strong>{chat?.peer.name}</strong>
      </header>
      {chat?.messages.pageInfo.hasPreviousPage && (
        <button className="quiet earlier" onClick={() => void fetchMore({ variables: { before: chat.messages.pageInfo.startCursor } })}>
          Earlier messages
        </button>
      )}
      {!chat && <Loading />}
      {chat?.messages.edges.map(({ node }) => (
        <p key={node.id} className={node.sender.id === session.userId ? 'bubble mine' : 'bubble'}>
          {node.deletedAt ? <i>Deleted</i> : node.text}
          <small>{receipt(node, chat.peerReadSequence)}</small>
        </p>
      ))}
      <div ref={bottom} />
      <form className="card composer" onSubmit={(event) => (event.preventDefault(), send())}>
        <input id="message" value={text} autoComplete="off" placeholder="Message" onChange={(event) => setText(event.target.value)} />
        <button id="send" disabled={!text.trim()}>Send</button>
      </form>
    </section>
  );
}

function receipt(message: { createdAt: string | null; sequence: number; sender: { id: string } }, read: number): string {
  if (message.sender.id !== session.userId) return '';
  if (!message.createdAt) return 'waiting';
  return message.sequence <= read ? '✓✓' : '✓';
}
