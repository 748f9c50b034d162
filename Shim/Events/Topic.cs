using Google.Protobuf;
using ImageStore.Runtime.Protocol.Happened;

namespace ImageStore.Shim.Events;

/// <summary>What an event is called.</summary>
/// <param name="Name">By which subscribers choose.</param>
/// <param name="Type">Its message's full name, which is its type URL.</param>
internal readonly record struct Topic(string Name, string Type)
{
    /// <summary>containerd's names of its tasks' events.</summary>
    public static Topic Of(IMessage happened) => happened switch
    {
        TaskCreate => new("/tasks/create", "containerd.events.TaskCreate"),
        TaskStart => new("/tasks/start", "containerd.events.TaskStart"),
        TaskOOM => new("/tasks/oom", "containerd.events.TaskOOM"),
        TaskExit => new("/tasks/exit", "containerd.events.TaskExit"),
        TaskDelete => new("/tasks/delete", "containerd.events.TaskDelete"),
        TaskExecAdded => new("/tasks/exec-added", "containerd.events.TaskExecAdded"),
        TaskExecStarted => new("/tasks/exec-started", "containerd.events.TaskExecStarted"),
        TaskPaused => new("/tasks/paused", "containerd.events.TaskPaused"),
        TaskResumed => new("/tasks/resumed", "containerd.events.TaskResumed"),
        _ => throw new ArgumentException($"{happened.GetType().Name} is no event.", nameof(happened)),
    };
}
