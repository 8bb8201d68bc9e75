using System.Text;
using Espalier.Text;
using Microsoft.Extensions.AI;

namespace Espalier.Extensions.AI;

/// <summary>Reads a list of messages: system words first, then the turns of user and assistant, the user's last; one image, in the user's first turn.</summary>
/// <remarks>Messages of the same role in a row are one turn. Not thread-safe; one a request.</remarks>
internal sealed class ChatRequestReader
{
    private readonly EspalierChatClientOptions _limits;
    private readonly StringBuilder _system = new();
    private readonly List<StringBuilder> _turns = [];
    private ReadOnlyMemory<byte>? _image;
    private int _messages;
    private int _length;

    private ChatRequestReader(EspalierChatClientOptions limits) => _limits = limits;

    /// <summary>Reads messages.</summary>
    /// <param name="messages">The messages, oldest first.</param>
    /// <param name="instructions">System words of the request's options.</param>
    /// <param name="limits">What is accepted.</param>
    /// <exception cref="ChatRequestException">They are no conversation about one image.</exception>
    public static ChatRequest Read(IEnumerable<ChatMessage> messages, string? instructions, EspalierChatClientOptions limits)
    {
        ChatRequestReader reader = new(limits);
        reader.AddSystem(instructions);
        foreach (ChatMessage message in messages)
        {
            reader.Add(message ?? throw Fail(ChatRequestFault.InvalidConversation, "A message is null; leave it out."));
        }

        return reader.Finish();
    }

    private void Add(ChatMessage message)
    {
        if (++_messages > EspalierChatClientOptions.MaximumMessages)
        {
            throw Fail(ChatRequestFault.TooLong, $"The request has more than {EspalierChatClientOptions.MaximumMessages} messages. Leave older turns out.");
        }

        if (message.Role == ChatRole.System)
        {
            if (_turns.Count > 0)
            {
                throw Fail(ChatRequestFault.InvalidConversation, "A system message stands behind the first turn. Put it first.");
            }

            AddSystem(TextOf(message));
        }
        else if (message.Role == ChatRole.User || message.Role == ChatRole.Assistant)
        {
            AddTurn(message, isUser: message.Role == ChatRole.User);
        }
        else
        {
            throw Fail(ChatRequestFault.InvalidConversation, $"A message has the role \"{Shorten(message.Role.Value)}\"; known are system, user and assistant.");
        }
    }

    private void AddSystem(string? text)
    {
        if (!string.IsNullOrEmpty(text))
        {
            Append(_system, text);
        }
    }

    private void AddTurn(ChatMessage message, bool isUser)
    {
        // Even turns are the user's, odd ones the assistant's.
        if (_turns.Count == 0 && !isUser)
        {
            throw Fail(ChatRequestFault.InvalidConversation, "The conversation begins with the assistant. Its first turn is the user's, with the image.");
        }

        if (_turns.Count % 2 == 0 == isUser)
        {
            _turns.Add(new StringBuilder());
        }

        if (isUser)
        {
            foreach (AIContent content in message.Contents)
            {
                if (!AddImage(content) && content is not TextContent)
                {
                    throw Unsupported(content);
                }
            }
        }

        string text = isUser ? string.Join('\n', message.Contents.OfType<TextContent>().Select(static part => part.Text).Where(static part => part is { Length: > 0 })) : TextOf(message);
        if (text.Length > 0)
        {
            Append(_turns[^1], text);
        }
    }

    private bool AddImage(AIContent content)
    {
        switch (content)
        {
            case UriContent address:
                throw Fail(ChatRequestFault.ImageNotData, $"The image is the address {Shorten(address.Uri.ToString())}. Nothing is downloaded: give its bytes as DataContent, or as a data URL.");
            case DataContent data when !data.HasTopLevelMediaType("image"):
                throw Fail(ChatRequestFault.UnsupportedContent, $"A message holds data of the type {Shorten(data.MediaType)}; only images can be looked at.");
            case DataContent when _turns.Count > 1:
                throw Fail(ChatRequestFault.ImageNotFirst, "An image stands in a later turn. The image belongs to the user's first message; begin a new conversation for another one.");
            case DataContent when _image is not null:
                throw Fail(ChatRequestFault.SeveralImages, "The conversation has more than one image; one can be looked at.");
            case DataContent data:
                _image = data.Data;
                return true;
            default:
                return false;
        }
    }

    // The text of a message that holds nothing else.
    private static string TextOf(ChatMessage message)
    {
        foreach (AIContent content in message.Contents)
        {
            if (content is not TextContent)
            {
                throw Unsupported(content);
            }
        }

        return message.Text;
    }

    private void Append(StringBuilder turn, string text)
    {
        _length = (int)Math.Min((long)_length + text.Length, int.MaxValue);
        if (_length > _limits.MaximumTextLength)
        {
            throw Fail(ChatRequestFault.TooLong, $"The texts of the request have more than {_limits.MaximumTextLength} characters, which is the limit {nameof(EspalierChatClientOptions)}.{nameof(EspalierChatClientOptions.MaximumTextLength)}.");
        }

        turn.Append(turn.Length > 0 ? "\n" : "").Append(text);
    }

    private ChatRequest Finish()
    {
        if (_turns.Count == 0)
        {
            throw Fail(ChatRequestFault.InvalidConversation, "There is no message of the user.");
        }

        if (_turns.Count % 2 == 0)
        {
            throw Fail(ChatRequestFault.InvalidConversation, "The last message is the assistant's. The last turn is the question to answer.");
        }

        if (_image is not { } image)
        {
            throw Fail(ChatRequestFault.NoImage, "There is no image. Put one into the user's first message, as DataContent or as a data URL.");
        }

        if (_turns[^1].Length == 0)
        {
            throw Fail(ChatRequestFault.NoText, "The last turn has no text. Ask a question in words.");
        }

        var earlier = new List<Exchange>();
        for (int i = 0; i + 1 < _turns.Count; i += 2)
        {
            earlier.Add(new Exchange(_turns[i].ToString(), _turns[i + 1].ToString()));
        }

        var conversation = new Conversation(_turns[^1].ToString(), earlier) { System = _system.Length > 0 ? _system.ToString() : null };
        return new ChatRequest(conversation, image);
    }

    private static ChatRequestException Unsupported(AIContent content) =>
        Fail(ChatRequestFault.UnsupportedContent, $"A message holds {content.GetType().Name}; only text, and an image of the user's, can be read.");

    private static ChatRequestException Fail(ChatRequestFault fault, string message) => new(fault, message);

    // What a stranger sent is quoted in part.
    private static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 64), "...");
}
