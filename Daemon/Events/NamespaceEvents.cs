using ImageStore.Daemon.Api;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Store.Namespaces;

namespace ImageStore.Daemon.Events;

/// <summary>What subscribers hear of namespaces.</summary>
internal static class NamespaceEvents
{
    /// <summary>A namespace was made.</summary>
    public static void PublishCreated(this EventHub events, NamespaceRecord made)
    {
        var happened = new NamespaceCreate { Name = made.Name };
        made.Labels.AddTo(happened.Labels);
        events.Publish(made.Name, Topics.NamespaceCreate, happened);
    }
}
