using Google.Protobuf;
using ImageStore.Runtime.Protocol.Happened;

namespace ImageStore.Runtime.Tasks;

/// <summary>Tells what happens to tasks, where no shim does.</summary>
/// <param name="publish">Is handed the namespace, the topic and the event.</param>
internal sealed class TaskEvents(Action<string, string, IMessage> publish)
{
    /// <summary>Publishes one.</summary>
    public void Publish(string @namespace, TaskExit exit) => publish(@namespace, "/tasks/exit", exit);

    /// <inheritdoc cref="Publish(string, TaskExit)"/>
    public void Publish(string @namespace, TaskDelete deletion) => publish(@namespace, "/tasks/delete", deletion);
}
