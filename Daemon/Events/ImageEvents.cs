using ImageStore.Daemon.Api;
using ImageStore.Daemon.Protocol.Happened;
using ImageStore.Store.Images;

namespace ImageStore.Daemon.Events;

/// <summary>What subscribers hear of images.</summary>
internal static class ImageEvents
{
    /// <summary>An image was made.</summary>
    public static void PublishCreated(this EventHub events, string @namespace, ImageRecord image)
    {
        var happened = new ImageCreate { Name = image.Name };
        image.Labels.AddTo(happened.Labels);
        events.Publish(@namespace, Topics.ImageCreate, happened);
    }

    /// <summary>An image stands for something else, or has other labels.</summary>
    public static void PublishUpdated(this EventHub events, string @namespace, ImageRecord image)
    {
        var happened = new ImageUpdate { Name = image.Name };
        image.Labels.AddTo(happened.Labels);
        events.Publish(@namespace, Topics.ImageUpdate, happened);
    }

    /// <summary>An image is gone.</summary>
    public static void PublishDeleted(this EventHub events, string @namespace, string name) =>
        events.Publish(@namespace, Topics.ImageDelete, new ImageDelete { Name = name });
}
