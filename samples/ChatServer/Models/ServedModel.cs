using Espalier.Evaluation;
using Microsoft.Extensions.AI;

namespace Espalier.Samples.ChatServer.Models;

/// <summary>A variant that is loaded, and its chat client.</summary>
/// <param name="Variant">The declared class and its plan.</param>
/// <param name="Client">Answers; thread-safe.</param>
internal sealed record ServedModel(Candidate Variant, IChatClient Client);
